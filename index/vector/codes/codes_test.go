package codes

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
)

const testWidth, testStride = 48, 64

type group struct {
	entry Entry
	rows  []Row
	codes []byte
}

func drawn(count int) (groups []group) {
	source := rand.New(rand.NewPCG(3, 1))
	for number := range count {
		g := group{entry: Entry{Group: uint64(number * 7), Identity: source.Uint64(), Rows: source.IntN(5)}}
		for range g.entry.Rows {
			g.rows = append(g.rows, Row{source.Float32(), source.Float32(), source.Float32()})
			for range testStride {
				g.codes = append(g.codes, byte(source.IntN(256)))
			}
		}
		g.entry.Sum = Sum(g.codes)
		groups = append(groups, g)
	}
	return groups
}

func written(t testing.TB, groups []group) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, testWidth)
	for _, g := range groups {
		err = errors.Join(err, w.Add(g.entry.Group, g.entry.Identity, g.rows, g.codes))
	}
	if err = errors.Join(err, w.Finish()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// same reads a file as far as that goes, and fails the test where it gives what was never
// written. It reports whether all of it was read.
func same(t testing.TB, data []byte, groups []group) bool {
	t.Helper()
	file, entries, err := Open(bytes.NewReader(data), int64(len(data)), testWidth, testStride)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		return false
	}
	if len(entries) != len(groups) {
		t.Fatalf("%d entries, want %d", len(entries), len(groups))
	}
	whole, at := true, First()
	var buffer Buffer
	for i, g := range groups {
		if entries[i] != g.entry {
			t.Fatalf("entry %d is %+v, want %+v", i, entries[i], g.entry)
		}
		rows, codes, err := file.Read(&buffer, at, g.entry.Rows, g.entry.Sum)
		at += Size(g.entry.Rows, testStride)
		switch {
		case err != nil && !file.Damaged():
			t.Fatalf("group %d: %v, and nobody is told", i, err)
		case err != nil:
			whole = false
		case !slices.Equal(rows, g.rows) || !bytes.Equal(codes, g.codes):
			t.Fatalf("group %d is another", i)
		}
	}
	return whole
}

func TestWrittenIsRead(t *testing.T) {
	for _, count := range []int{0, 1, 40} {
		groups := drawn(count)
		if data := written(t, groups); !same(t, data, groups) {
			t.Errorf("%d groups are not read", count)
		}
	}
}

// TestEveryFlippedBit flips each bit: what is read is as it was written, or refused.
func TestEveryFlippedBit(t *testing.T) {
	groups := drawn(6)
	data := written(t, groups)
	for bit := range 8 * len(data) {
		damaged := slices.Clone(data)
		damaged[bit/8] ^= 1 << (bit % 8)
		if same(t, damaged, groups) {
			t.Fatalf("bit %d is not noticed", bit)
		}
	}
	for length := range data {
		if same(t, data[:length], groups) {
			t.Fatalf("cut at %d is not noticed", length)
		}
	}
}

// TestFillServesManyRecords reads records that were read in one piece.
func TestFillServesManyRecords(t *testing.T) {
	groups := drawn(20)
	data := written(t, groups)
	counted := &counting{reader: bytes.NewReader(data)}
	file, _, err := Open(counted, int64(len(data)), testWidth, testStride)
	if err != nil {
		t.Fatal(err)
	}
	var buffer Buffer
	before, at, length := counted.reads, First(), int64(0)
	for _, g := range groups {
		length += Size(g.entry.Rows, testStride)
	}
	file.Fill(&buffer, at, length)
	for _, g := range groups {
		if _, codes, err := file.Read(&buffer, at, g.entry.Rows, g.entry.Sum); err != nil || !bytes.Equal(codes, g.codes) {
			t.Fatal(err)
		}
		at += Size(g.entry.Rows, testStride)
	}
	if counted.reads != before+1 {
		t.Errorf("%d reads for all records", counted.reads-before)
	}
}

// TestReadSaysWhy: the reader's own error is that of the reading, and is no damage.
func TestReadSaysWhy(t *testing.T) {
	groups := drawn(2)
	data := written(t, groups)
	reader := &failing{reader: bytes.NewReader(data)}
	file, entries, err := Open(reader, int64(len(data)), testWidth, testStride)
	if err != nil {
		t.Fatal(err)
	}
	var buffer Buffer
	reader.err = errors.New("the disk is away")
	if _, _, err := file.Read(&buffer, First(), entries[0].Rows, entries[0].Sum); !errors.Is(err, reader.err) || file.Damaged() {
		t.Errorf("%v, damaged is %t", err, file.Damaged())
	}
	reader.err = nil
	if _, _, err := file.Read(&buffer, First(), entries[0].Rows, entries[0].Sum); err != nil {
		t.Errorf("after that: %v", err)
	}
}

type failing struct {
	reader io.ReaderAt
	err    error
}

func (f *failing) ReadAt(p []byte, at int64) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.reader.ReadAt(p, at)
}

type counting struct {
	reader io.ReaderAt
	reads  int
}

func (c *counting) ReadAt(p []byte, at int64) (int, error) {
	c.reads++
	return c.reader.ReadAt(p, at)
}

func FuzzOpen(f *testing.F) {
	f.Add(written(f, drawn(3)))
	f.Add(written(f, nil))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, entries, err := Open(bytes.NewReader(data), int64(len(data)), testWidth, testStride)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		var buffer Buffer
		at := First()
		for _, entry := range entries {
			rows, codes, err := file.Read(&buffer, at, entry.Rows, entry.Sum)
			if err == nil && (len(rows) != entry.Rows || len(codes) != entry.Rows*testStride) {
				t.Fatalf("%d rows of %d bytes for %+v", len(rows), len(codes), entry)
			}
			at += Size(entry.Rows, testStride)
		}
	})
}
