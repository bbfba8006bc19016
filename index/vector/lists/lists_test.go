package lists

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

const testWidth, testStride = 48, 64

type list struct {
	centroid []byte
	scale    float32
	postings []Posting
	codes    []byte
}

func drawn(count int) (all []list) {
	source := rand.New(rand.NewPCG(5, 2))
	bytesOf := func(length int) []byte {
		data := make([]byte, length)
		for i := range data {
			data[i] = byte(source.IntN(256))
		}
		return data
	}
	for range count {
		l := list{centroid: bytesOf(testStride), scale: source.Float32()}
		for range source.IntN(6) {
			l.postings = append(l.postings, Posting{source.Uint64(), source.Uint32(), source.Float32()})
		}
		l.codes = bytesOf(len(l.postings) * testStride)
		all = append(all, l)
	}
	return all
}

func written(t testing.TB, all []list) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, testWidth, testStride)
	for _, l := range all {
		err = errors.Join(err, w.Add(l.centroid, l.scale, l.postings, l.codes))
	}
	if err = errors.Join(err, w.Finish()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// same reads a file as far as that goes, and fails the test where it gives what was never
// written. It reports whether all of it was read.
func same(t testing.TB, data []byte, all []list) bool {
	t.Helper()
	file, err := Open(bytes.NewReader(data), int64(len(data)), testWidth, testStride)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		return false
	}
	if file.Len() != len(all) {
		t.Fatalf("%d lists, want %d", file.Len(), len(all))
	}
	whole := true
	var buffer []byte
	for number, l := range all {
		centroid, scale := file.Centroid(number)
		if file.Count(number) != len(l.postings) || !bytes.Equal(centroid, l.centroid) || scale != l.scale {
			t.Fatalf("list %d is another", number)
		}
		var postings []Posting
		buffer, err = file.Postings(number, buffer, func(place int, p Posting) {
			if place != len(postings) {
				t.Fatalf("posting %d is at %d", len(postings), place)
			}
			postings = append(postings, p)
		})
		whole = whole && err == nil
		if err == nil && !slices.Equal(postings, l.postings) {
			t.Fatalf("list %d has other postings", number)
		}
		codes, codesErr := file.Codes(number, &buffer)
		whole = whole && codesErr == nil
		if codesErr == nil && !bytes.Equal(codes, l.codes) {
			t.Fatalf("list %d has other codes", number)
		}
		if err = errors.Join(err, codesErr); err != nil && (!file.Damaged() || !errors.Is(err, ErrDamaged)) {
			t.Fatalf("list %d: %v, and nobody is told", number, err)
		}
	}
	return whole
}

func TestWrittenIsRead(t *testing.T) {
	for _, count := range []int{0, 1, 40} {
		all := drawn(count)
		if data := written(t, all); !same(t, data, all) {
			t.Errorf("%d lists are not read", count)
		}
	}
}

// TestCodesStayInMemory: what was read is not read again, but for what there is no room for.
func TestCodesStayInMemory(t *testing.T) {
	all := drawn(9)
	data := written(t, all)
	file, err := Open(bytes.NewReader(data), int64(len(data)), testWidth, testStride)
	if err != nil {
		t.Fatal(err)
	}
	length := int64(0)
	for _, l := range all[:5] {
		length += int64(len(l.codes))
	}
	file.room.Store(length)
	for range 2 {
		var buffer []byte
		for number, l := range all {
			codes, err := file.Codes(number, &buffer)
			if kept := file.kept[number].Load() != nil; kept && (err != nil || !bytes.Equal(codes, l.codes)) {
				t.Fatalf("list %d: other codes, %v", number, err)
			} else if !kept && len(l.codes) > 0 && (err == nil) != (data[0] != 0) {
				t.Errorf("list %d: not read again, %v", number, err)
			}
		}
		clear(data) // as nobody would
	}
	if room := file.room.Load(); room < 0 || room == length {
		t.Errorf("%d bytes of %d are left", room, length)
	}
}

// TestEveryFlippedBit flips each bit: what is read is as it was written, or refused.
func TestEveryFlippedBit(t *testing.T) {
	all := drawn(5)
	data := written(t, all)
	for bit := range 8 * len(data) {
		damaged := slices.Clone(data)
		damaged[bit/8] ^= 1 << (bit % 8)
		if same(t, damaged, all) {
			t.Fatalf("bit %d is not noticed", bit)
		}
	}
	for length := range data {
		if same(t, data[:length], all) {
			t.Fatalf("cut at %d is not noticed", length)
		}
	}
}

// FuzzOpen: bytes that nobody wrote are refused, or give what their sums say; neither asks for more memory than
// there are bytes.
func FuzzOpen(f *testing.F) {
	for _, count := range []int{0, 1, 6} {
		f.Add(written(f, drawn(count)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Open(bytes.NewReader(data), int64(len(data)), testWidth, testStride)
		if err != nil {
			return
		}
		total := 0
		for number := range file.Len() {
			_, err := file.Postings(number, nil, func(int, Posting) { total++ })
			if err == nil {
				_, _ = file.Codes(number, new([]byte))
			}
		}
		if total > len(data) {
			t.Fatalf("%d postings in %d bytes", total, len(data))
		}
	})
}
