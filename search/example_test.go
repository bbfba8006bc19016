package search_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"

	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs/vfstest"
	"mekiki/search"
	"mekiki/search/contract"
)

// Without a model a search finds words of captions, names and tags. With one (an
// *embed.Engine in place of nil) it also finds what pictures show.
func Example() {
	ctx := context.Background()
	library, err := local.Open(ctx, "/library", local.Options{FileSystem: vfstest.NewMemory()})
	if err != nil {
		log.Fatal(err)
	}
	defer library.Close()
	for name, caption := range map[string]string{"beach.jpg": "two dogs on a beach", "kitchen.jpg": "a pizza on a table"} {
		_, err := library.Write(ctx, index.Batch{Puts: []index.Put{{Record: index.Record{
			Kind: index.KindImage, Hash: sha256.Sum256([]byte(name)), Files: []index.File{{Path: "/photos/" + name}},
			Captions: []index.Caption{{Text: caption}},
		}}}})
		if err != nil {
			log.Fatal(err)
		}
	}
	searcher, err := search.New(library, nil, search.Options{})
	if err != nil {
		log.Fatal(err)
	}
	response, err := searcher.Search(ctx, contract.Request{Text: "dogs folder:photos", Show: contract.ShowAll})
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range response.Hits {
		fmt.Println(hit.Path, "-", hit.Caption)
	}
	// Output: /photos/beach.jpg - two dogs on a beach
}
