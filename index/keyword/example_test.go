package keyword_test

import (
	"context"
	"fmt"
	"log"

	"mekiki/index/keyword"
)

// Two pictures and a question. The words of a name count less than those of a caption,
// and a filter does not count at all.
func Example() {
	ctx := context.Background()
	index, err := keyword.OpenMemory()
	if err != nil {
		log.Fatal(err)
	}
	defer index.Close()
	documents := []keyword.Document{
		{ID: 1, Kind: "image", Captions: []string{"two dogs running on the beach"}, Names: []string{"/2019/IMG_1.jpg"}, Format: "jpeg"},
		{ID: 2, Kind: "image", Captions: []string{"a cat asleep"}, Names: []string{"/2019/DogAndCat.jpg"}, Format: "jpeg"},
	}
	if err := index.Apply(ctx, 1, documents, nil); err != nil {
		log.Fatal(err)
	}
	reader, err := index.Reader() // of these documents, whatever is applied later
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()

	query := keyword.Query{Words: "running dog", Filter: keyword.Filter{Formats: []string{"jpeg"}}, Limit: 10, Matches: true}
	hits, err := reader.Search(ctx, query)
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range hits {
		for field, fragments := range documents[hit.ID-1].Fragments(hit.Matches) {
			fmt.Println(hit.ID, field, fragments)
		}
	}
	// Output:
	// 1 caption [two <mark>dogs</mark> <mark>running</mark> on the beach]
	// 2 name [2019 <mark>Dog</mark> And Cat jpg]
}
