package block

import (
	"bytes"
	"testing"
)

var testHeader = Header{Kind: Vectors, Number: 3, Space: 1}

func testSegment(payloads ...string) []byte {
	data := encodeHeader(testHeader)
	for i, payload := range payloads {
		data = AppendBlock(data, testHeader, Block{Record: uint64(i + 1), Payload: []byte(payload)})
	}
	return data
}

// TestEveryBitIsChecked: a block with any bit flipped, its header's or its
// payload's, is damaged.
func TestEveryBitIsChecked(t *testing.T) {
	whole := testSegment("some payload")
	read := func(data []byte) ([]byte, error) {
		return ReadBlock(bytes.NewReader(data), testHeader, int64(len(data)), 1, HeaderSize, int64(len(whole)-HeaderSize))
	}
	if payload, err := read(whole); err != nil || string(payload) != "some payload" {
		t.Fatalf("%q, %v", payload, err)
	}
	for bit := range 8 * len(whole) {
		data := bytes.Clone(whole)
		data[bit/8] ^= 1 << (bit % 8)
		_, headerErr := ReadHeader(bytes.NewReader(data))
		_, blockErr := read(data)
		if inHeader := bit < 8*HeaderSize; inHeader && headerErr == nil || !inHeader && blockErr == nil {
			t.Errorf("bit %d flipped: %v, %v", bit, headerErr, blockErr)
		}
	}
	for cut := range whole {
		if _, err := read(whole[:cut]); err == nil {
			t.Errorf("cut at %d: no error", cut)
		}
	}
}

// FuzzReadBlock: whatever a file holds and a location says, a block is given
// only as it was written, and memory is asked for only within the file.
func FuzzReadBlock(f *testing.F) {
	whole := testSegment("one", "the second payload")
	f.Add(whole, int64(HeaderSize), int64(BlockSize+3), uint64(1))
	f.Add(whole, int64(HeaderSize+BlockSize+3), int64(BlockSize+18), uint64(2))
	f.Add(whole[:len(whole)-1], int64(HeaderSize+BlockSize+3), int64(1)<<62, uint64(2))
	f.Add([]byte{}, int64(-1), int64(-1), uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, offset, length int64, record uint64) {
		file := bytes.NewReader(data)
		_, _ = ReadHeader(file)
		payload, err := ReadBlock(file, testHeader, int64(len(data)), record, offset, length)
		if err != nil {
			return
		}
		written := AppendBlock(nil, testHeader, Block{Record: record, Payload: payload})
		if !bytes.Equal(written, data[offset:offset+length]) {
			t.Errorf("the block of %d bytes at %d was not written so", length, offset)
		}
	})
}
