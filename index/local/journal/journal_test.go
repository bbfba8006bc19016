package journal

import (
	"bytes"
	"fmt"
	"testing"

	"mekiki/internal/vfs/vfstest"
)

var logHeader = Header{Kind: Log, Number: 3}

// source is a journal in memory.
type source struct{ *bytes.Reader }

func (s source) Size() (int64, error) { return s.Reader.Size(), nil }

func testJournal(tb testing.TB, payloads ...string) []byte {
	tb.Helper()
	fsys := vfstest.NewMemory()
	if err := fsys.MkdirAll("/j"); err != nil {
		tb.Fatal(err)
	}
	writer, err := Create(fsys, "/j/log", logHeader)
	if err != nil {
		tb.Fatal(err)
	}
	for i, payload := range payloads {
		if err := writer.Append(Frame{Kind: Data, Sequence: uint64(i + 1), Payload: []byte(payload)}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := writer.Sync(); err != nil {
		tb.Fatal(err)
	}
	return fsys.Files()["/j/log"]
}

func read(tb testing.TB, data []byte) ([]string, Result) {
	tb.Helper()
	var payloads []string
	result, err := Read(source{bytes.NewReader(data)}, logHeader, 0, func(frame Frame) error {
		payloads = append(payloads, string(frame.Payload))
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return payloads, result
}

func TestTornTailsAndDamage(t *testing.T) {
	data := testJournal(t, "one", "two", "three")
	for cut := range data {
		if cut < HeaderSize {
			continue
		}
		payloads, result := read(t, data[:cut])
		if len(result.Damages) > 0 || int64(cut) < result.End || result.Torn != (result.End < int64(cut)) {
			t.Errorf("cut at %d: %v, %+v", cut, payloads, result)
		}
	}
	for at := HeaderSize; at < len(data); at++ {
		flipped := bytes.Clone(data)
		flipped[at] ^= 4
		payloads, result := read(t, flipped)
		if len(payloads) != 2 || len(result.Damages) == 0 && !result.Torn {
			t.Errorf("byte %d flipped: %v, %+v", at, payloads, result)
		}
		if inLast := at >= len(data)-frameSize-len("three"); inLast != result.Torn {
			t.Errorf("byte %d flipped: torn %v", at, result.Torn)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{})
	whole := testJournal(f, "one", "two")
	f.Add(whole)
	f.Add(whole[:len(whole)-2])
	f.Add(append(bytes.Clone(whole[:HeaderSize+5]), whole[HeaderSize:]...))
	f.Fuzz(func(t *testing.T, data []byte) {
		total := 0
		result, err := Read(source{bytes.NewReader(data)}, logHeader, 0, func(frame Frame) error {
			total += len(frame.Payload)
			return nil
		})
		if err == nil && (total > len(data) || result.End > max(int64(len(data)), HeaderSize)) {
			t.Error(fmt.Sprint(total, result))
		}
	})
}
