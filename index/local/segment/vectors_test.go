package segment

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
)

func TestHalfPrecision(t *testing.T) {
	for half := range uint32(1 << 16) {
		value := floatOf(uint16(half))
		if math.IsNaN(float64(value)) {
			continue
		}
		if got := halfOf(value); got != uint16(half) {
			t.Fatalf("%#04x is %g, which is %#04x", half, value, got)
		}
		next := floatOf(uint16(half) + 1)
		if half&0x7fff < 0x7bff {
			middle := (float64(value) + float64(next)) / 2
			want := uint16(half + half&1) // ties to even
			if got := halfOf(float32(middle)); got != want {
				t.Fatalf("%g is %#04x, want %#04x", middle, got, want)
			}
		}
	}
}

// FuzzVectors: bytes that are vectors are written again as they were read.
func FuzzVectors(f *testing.F) {
	whole := EncodeVectors(indextest.Unit(1, 3, 8))
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, err := DecodeVectors(data)
		if err != nil || CheckParts(parts, embed.Space{Fingerprint: "f", Parts: parts.Count, Width: parts.Width}, index.KindImage) != nil {
			return
		}
		if again := EncodeVectors(parts); !bytes.Equal(again, data) {
			t.Errorf("%x was read, %x written", data, again)
		}
	})
}

// TestDecodeRows: some rows are those of all, and rows that there are not are damage.
func TestDecodeRows(t *testing.T) {
	parts := embed.Parts{Count: 5, Width: 7, Values: make([]float32, 35)}
	for i := range parts.Values {
		parts.Values[i] = float32(i) / 16
	}
	payload := EncodeVectors(parts)
	for _, rows := range [][]int{{0}, {4}, {3, 1}, {2, 2}, {}, {0, 1, 2, 3, 4}} {
		got, err := DecodeRows(payload, rows)
		if err != nil || len(got) != len(rows)*7 {
			t.Fatalf("rows %v: %d values, %v", rows, len(got), err)
		}
		for i, row := range rows {
			if !slices.Equal(got[i*7:(i+1)*7], parts.Row(row)) {
				t.Errorf("row %d of %v is %v", row, rows, got[i*7:(i+1)*7])
			}
		}
	}
	if all, err := DecodeRows(payload, nil); err != nil || !slices.Equal(all, parts.Values) {
		t.Errorf("all rows are %v, %v", all, err)
	}
	for _, rows := range [][]int{{5}, {-1}, {0, 1 << 40}} {
		if _, err := DecodeRows(payload, rows); !errors.Is(err, index.ErrDamaged) {
			t.Errorf("rows %v: %v", rows, err)
		}
	}
	if _, err := DecodeRows(payload[:20], []int{0}); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("a payload that ends early: %v", err)
	}
}
