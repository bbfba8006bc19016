package local

import (
	"context"
	"crypto/sha256"
	"fmt"
	"mekiki/index"
	"mekiki/internal/vfs"
	"testing"
)

// BenchmarkLoadCatalog reads a checkpoint of 100,000 images with a location each.
func BenchmarkLoadCatalog(b *testing.B) {
	const records = 100_000
	files := vfs.NewMemory()
	mustDo(b, files.MkdirAll("/library/"+catalogFolder))
	t := newTransaction(&state{}, newLookup(), 1)
	t.putSpace(&space{number: 1, space: small})
	for id := index.ID(1); id <= records; id++ {
		record := index.Record{
			ID: id, Kind: index.KindImage, Hash: sha256.Sum256(fmt.Append(nil, id)), Format: "jpeg", Width: 4000, Height: 3000, Bytes: 3 << 20, Added: testTime,
			Files:    []index.File{{Path: fmt.Sprintf("/photos/%d/IMG_%d.jpg", id/1000, id), Bytes: 3 << 20, Modified: testTime, Inode: uint64(id)}},
			Captions: []index.Caption{{Text: fmt.Sprintf("a dog beside number %d", id), Match: 0.5, Model: "model-a"}},
		}
		t.putRecord(&record)
		t.putLocation(1, id, location{vectors: extent{2, int64(id) * 100, 100}, sequence: 1})
	}
	catalog := &catalog{fsys: files, folder: "/library"}
	if _, err := catalog.writeCheckpoint(context.Background(), t.finish(), 1); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := loadCatalog(context.Background(), files, "/library"); err != nil {
			b.Fatal(err)
		}
	}
}
