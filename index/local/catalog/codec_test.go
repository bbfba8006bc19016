package catalog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
)

func TestRecordsAreReadAsWritten(t *testing.T) {
	north, east := -33.5, 151.25
	record := indextest.Image(t, 5, indextest.Small).Record
	record.ID, record.Sequence, record.Added = 9, 4, indextest.Time
	record.Metadata.Latitude, record.Metadata.Longitude = &north, &east
	record.ExternalID, record.Fields = "x", map[string]string{"price": "3", "size": "L"}
	rating, offset := 0, -3*time.Hour
	record.Damage, record.MetadataVersion = "the file ends early", 3
	record.Files = []index.File{{Path: "/mnt/usb/a.jpg", Bytes: 3, Modified: indextest.Time, Inode: 8, Name: "Holiday/a.jpg", Sidecars: 77, MountLength: 8, RootLength: 4}}
	record.Metadata.TakenOffset, record.Metadata.TakenSource = &offset, "exif"
	record.Metadata.People, record.Metadata.Rating = []string{"Ada", "Bo"}, &rating
	record.Metadata.Label, record.Metadata.Generation = "Red", "a cat, Steps: 20"
	record.OCR = &index.OCR{Model: "reader", Lines: []index.OCRLine{
		{Text: "KA-7731-XY", Score: 0.75, Corners: [4]index.Pixel{{X: 0, Y: 1}, {X: 4000, Y: 2}, {X: 4000, Y: 300}, {X: 3, Y: 299}}}, {Text: "出口 EXIT", Score: 1},
	}}
	var e encoder
	encodeRecord(&e, &record)
	got, err := new(recordDecoder).decode(string(e.buffer), 1)
	indextest.Must(t, err)
	if diff := cmp.Diff(&record, got); diff != "" {
		t.Error(diff)
	}
}

// TestWordsBeyondTheLimits: words in a picture that nobody could have written are damage, and cost no memory.
func TestWordsBeyondTheLimits(t *testing.T) {
	for name, fill := range map[string]func(*encoder){
		"no model": func(e *encoder) { e.nested(ocrLine, func(e *encoder) { e.text(lineText, "a") }) },
		"too many lines": func(e *encoder) {
			e.text(ocrModel, "m")
			for range index.MaximumOCRLines + 1 {
				e.nested(ocrLine, func(e *encoder) { e.text(lineText, "a") })
			}
		},
		"too long": func(e *encoder) {
			e.text(ocrModel, "m")
			e.nested(ocrLine, func(e *encoder) { e.text(lineText, strings.Repeat("a", index.MaximumOCRBytes+1)) })
		},
		"three corners": func(e *encoder) {
			e.text(ocrModel, "m")
			e.nested(ocrLine, func(e *encoder) { e.text(lineText, "a"); e.bytes(lineCorners, []byte{1, 2, 3, 4, 5, 6}) })
		},
		"two lines in one": func(e *encoder) {
			e.text(ocrModel, "m")
			e.nested(ocrLine, func(e *encoder) { e.text(lineText, "a\nb") })
		},
	} {
		var e encoder
		fill(&e)
		if _, err := decodeOCR(string(e.buffer)); !errors.Is(err, ErrShort) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOperations(f *testing.F) {
	payload := everyOperation(f)
	f.Add(payload)
	for _, before := range []bool{true, false} {
		widened, _ := withUnknown(f, payload, before, func(e *encoder) { e.uint(60, 4) })
		f.Add(widened)
	}
	indextest.Must(f, Operations(string(payload), func(kind OperationKind, body string) error {
		f.Add(appendOperation(nil, kind, func(e *encoder) { e.buffer = []byte(body) }))
		return nil
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		replaying := Begin(&State{}, NewLookup(), 1)
		replaying.Replaying = true
		_ = Operations(string(data), replaying.replay)
		replaying.Finish()
	})
}

// FuzzOCR: whatever is read as words in a picture is within the limits, and is read again as it is written.
func FuzzOCR(f *testing.F) {
	var e encoder
	encodeOCR(&e, &index.OCR{Model: "m", Lines: []index.OCRLine{{Text: "Gate 9", Score: 0.5, Corners: [4]index.Pixel{{X: 1, Y: 2}, {X: 300}}}}})
	f.Add(e.buffer)
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := decodeOCR(string(data))
		if err != nil {
			return
		}
		var again encoder
		encodeOCR(&again, read)
		if same, err := decodeOCR(string(again.buffer)); err != nil || read.Check() != nil || !cmp.Equal(read, same) {
			t.Errorf("%+v becomes %+v, %v", read, same, err)
		}
	})
}

// TestRecordsAreDecodedTogether: on several processors, with memory for several at once, records are what each was by itself.
func TestRecordsAreDecodedTogether(t *testing.T) {
	var payload []byte
	var want []*index.Record
	for number := range 5 * decodedTogether {
		record := indextest.Image(t, uint64(number), indextest.Small).Record
		record.ID, record.Added = index.ID(number+1), indextest.Time
		switch number % 4 {
		case 1:
			record.Files, record.Captions = append(record.Files, record.Files[0]), append(record.Captions, index.Caption{Text: "a", Match: 1, Model: "m"})
		case 2:
			record.Files, record.Captions, record.Format = nil, nil, ""
		}
		payload = appendOperation(payload, operationPutRecord, func(e *encoder) { encodeRecord(e, &record) })
		want = append(want, &record)
	}
	for i, got := range decodeRecords(string(payload)) {
		indextest.Must(t, got.err)
		if diff := cmp.Diff(want[i], got.record); diff != "" {
			t.Fatalf("record %d: %s", i, diff)
		}
	}
}

// FuzzVarint: numbers in texts are what package binary reads in the same bytes.
func FuzzVarint(f *testing.F) {
	for _, number := range []uint64{0, 1, 127, 128, 1 << 40, 1<<64 - 1} {
		f.Add(binary.AppendUvarint(nil, number))
	}
	f.Add(bytes.Repeat([]byte{0xff}, 12))
	f.Add([]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		unsigned, n := binary.Uvarint(data)
		if got, length := uvarint(string(data)); got != unsigned || length != n {
			t.Errorf("%x: %d in %d bytes instead of %d in %d", data, got, length, unsigned, n)
		}
		signed, n := binary.Varint(data)
		if got, length := varint(string(data)); got != signed || length != n {
			t.Errorf("%x: %d in %d bytes instead of %d in %d", data, got, length, signed, n)
		}
	})
}
