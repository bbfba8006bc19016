package catalog

import (
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
	var e encoder
	encodeRecord(&e, &record)
	got, err := decodeRecord(e.buffer)
	indextest.Must(t, err)
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
	indextest.Must(f, Operations(payload, func(kind OperationKind, body []byte) error {
		f.Add(appendOperation(nil, kind, func(e *encoder) { e.buffer = body }))
		return nil
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		replaying := Begin(&State{}, NewLookup(), 1)
		replaying.Replaying = true
		_ = Operations(data, replaying.replay)
		replaying.Finish()
	})
}
