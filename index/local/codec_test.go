package local

import (
	"bytes"
	"math"
	"mekiki/embed"
	"mekiki/index"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRecordsAreReadAsWritten(t *testing.T) {
	north, east := -33.5, 151.25
	record := testPut(t, 5, small).Record
	record.ID, record.Sequence, record.Added = 9, 4, testTime
	record.Metadata.Latitude, record.Metadata.Longitude = &north, &east
	record.ExternalID, record.Fields = "x", map[string]string{"price": "3", "size": "L"}
	rating, offset := 0, -3*time.Hour
	record.Damage, record.MetadataVersion = "the file ends early", 3
	record.Files = []index.File{{Path: "/mnt/usb/a.jpg", Bytes: 3, Modified: testTime, Inode: 8, Name: "Holiday/a.jpg", Sidecars: 77, MountLength: 8, RootLength: 4}}
	record.Metadata.TakenOffset, record.Metadata.TakenSource = &offset, "exif"
	record.Metadata.People, record.Metadata.Rating = []string{"Ada", "Bo"}, &rating
	record.Metadata.Label, record.Metadata.Generation = "Red", "a cat, Steps: 20"
	var e encoder
	encodeRecord(&e, &record)
	got, err := decodeRecord(e.buffer)
	mustDo(t, err)
	if diff := cmp.Diff(&record, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzOperations(f *testing.F) {
	payload := everyOperation(f)
	f.Add(payload)
	for _, before := range []bool{true, false} {
		widened, _ := withUnknown(f, payload, before, func(e *encoder) { e.uint(60, 4) })
		f.Add(widened)
	}
	mustDo(f, operations(payload, func(kind operationKind, body []byte) error {
		f.Add(appendOperation(nil, kind, func(e *encoder) { e.buffer = body }))
		return nil
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		replaying := newTransaction(&state{}, newLookup(), 1)
		replaying.replaying = true
		_ = operations(data, replaying.replay)
		replaying.finish()
	})
}

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
	whole := encodeVectors(unit(1, 3, 8))
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, err := decodeVectors(data)
		if err != nil || checkParts(parts, embed.Space{Fingerprint: "f", Parts: parts.Count, Width: parts.Width}, index.KindImage) != nil {
			return
		}
		if again := encodeVectors(parts); !bytes.Equal(again, data) {
			t.Errorf("%x was read, %x written", data, again)
		}
	})
}
