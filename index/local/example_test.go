package local_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"

	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
)

// A library is opened in a folder, written to in batches, and read as it was at one
// commit.
func Example() {
	ctx := context.Background()
	library, err := local.Open(ctx, "/library", local.Options{FileSystem: vfstest.NewMemory()}) // on disk without FileSystem
	if err != nil {
		log.Fatal(err)
	}
	defer library.Close()

	_, err = library.Write(ctx, index.Batch{Puts: []index.Put{{Record: index.Record{
		Kind: index.KindImage, Hash: sha256.Sum256([]byte("the bytes of a picture")), Format: "jpeg",
		Files:    []index.File{{Path: "/photos/Kyoto/IMG_0042.jpg"}},
		Captions: []index.Caption{{Text: "a dog beside a river"}},
		Tags:     []string{"holiday"},
	}}}})
	if err != nil {
		log.Fatal(err)
	}

	reader, err := library.Reader(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	hits, err := reader.Keyword(ctx, index.KeywordQuery{Text: "dogs"}, 10, index.Filter{Folders: []string{"kyoto"}, Tags: []string{"holiday"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range hits {
		record, err := index.One(reader.Records(ctx, []index.ID{hit.ID}))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(record.ID, record.Path(), record.Caption())
	}
	// Output: 1 /photos/Kyoto/IMG_0042.jpg a dog beside a river
}
