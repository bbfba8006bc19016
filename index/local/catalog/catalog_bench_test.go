package catalog

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/segment"
	"mekiki/internal/vfs/vfstest"
)

// BenchmarkLoadCatalog reads a checkpoint of 100,000 images with a location each.
func BenchmarkLoadCatalog(b *testing.B) {
	const records = 100_000
	files := vfstest.NewMemory()
	indextest.Must(b, files.MkdirAll("/library/"+Folder))
	t := Begin(&State{}, NewLookup(), 1)
	t.PutSpace(&Space{Number: 1, Space: indextest.Small})
	for id := index.ID(1); id <= records; id++ {
		record := index.Record{
			ID: id, Kind: index.KindImage, Hash: sha256.Sum256(fmt.Append(nil, id)), Format: "jpeg", Width: 4000, Height: 3000, Bytes: 3 << 20, Added: indextest.Time,
			Files:    []index.File{{Path: fmt.Sprintf("/photos/%d/IMG_%d.jpg", id/1000, id), Bytes: 3 << 20, Modified: indextest.Time, Inode: uint64(id)}},
			Captions: []index.Caption{{Text: fmt.Sprintf("a dog beside number %d", id), Match: 0.5, Model: "model-a"}},
		}
		t.PutRecord(&record)
		t.PutLocation(1, id, Location{Vectors: segment.Extent{Segment: 2, Offset: int64(id) * 100, Length: 100}, Sequence: 1})
	}
	catalog := &Writer{fsys: files, folder: "/library"}
	if _, err := catalog.writeCheckpoint(context.Background(), t.Finish(), 1); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(context.Background(), files, "/library"); err != nil {
			b.Fatal(err)
		}
	}
}
