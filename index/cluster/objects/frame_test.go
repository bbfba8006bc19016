package objects

import (
	"bytes"
	"errors"
	"testing"

	"mekiki/index"
)

// TestEveryFlippedBit: no flipped bit of an object passes, read whole or by blocks.
func TestEveryFlippedBit(t *testing.T) {
	data := noise(300)
	framed := frame("key", data, 0)
	for bit := range 8 * len(framed) {
		flipped := bytes.Clone(framed)
		flipped[bit/8] ^= 1 << (bit % 8)
		if got, err := unframe("key", bytes.Clone(flipped)); err == nil {
			t.Fatalf("bit %d: %v", bit, bytes.Equal(got, data))
		}
		if _, err := unframeBlocks("key", 0, flipped[headerSize:]); bit >= 8*headerSize && !errors.Is(err, index.ErrDamaged) {
			t.Fatalf("bit %d by blocks: %v", bit, err)
		}
	}
}

// TestExchangedBytes: what is another object's, at another place, cut off or longer is noticed.
func TestExchangedBytes(t *testing.T) {
	data := noise(2*blockSize + 10)
	framed := frame("key", data, 0)
	exchanged := bytes.Clone(framed)
	copy(exchanged[headerSize:], framed[headerSize+framedBlock:headerSize+2*framedBlock])
	for name, bytes := range map[string][]byte{
		"nothing": nil, "a header": framed[:headerSize], "cut off": framed[:len(framed)-1], "cut off at a block": framed[:headerSize+framedBlock],
		"longer": append(bytes.Clone(framed), 0, 0, 0, 0, 0), "another's": frame("other", data, 0), "an exchanged block": exchanged,
	} {
		if _, err := unframe("key", bytes); !errors.Is(err, index.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := unframeBlocks("key", 0, frame("other", data, 0)[headerSize:]); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("another's blocks: %v", err)
	}
}

func TestFrame(t *testing.T) {
	for _, size := range sizes {
		data := noise(size)
		framed := frame("key", data, 0)
		if int64(len(framed)) != framedSize(int64(size)) {
			t.Errorf("%d bytes take %d, expected %d", size, len(framed), framedSize(int64(size)))
		}
		if got, err := unframe("key", framed); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// FuzzUnframe: whatever a store gives, it is what was written or an error.
func FuzzUnframe(f *testing.F) {
	f.Add(frame("key", []byte("data"), 7))
	f.Add(frame("key", nil, 0))
	f.Fuzz(func(t *testing.T, framed []byte) {
		data, err := unframe("key", bytes.Clone(framed))
		if err == nil && !bytes.Equal(frame("key", data, markOf(framed)), framed) {
			t.Error("two objects with the same data")
		}
	})
}
