package vector_test

import (
	"context"
	"fmt"
	"log"

	"mekiki/index/vector"
)

// Three images, of which the second has two parts, and a query that is nearest to the
// second part of that one.
func Example() {
	index, err := vector.New(vector.Options{Width: 3})
	if err != nil {
		log.Fatal(err)
	}
	for group, rows := range [][]float32{{1, 0, 0}, {0, 1, 0, 0, 0.6, 0.8}, {0.6, 0.8, 0}} {
		if err := index.Add(uint64(group), rows); err != nil {
			log.Fatal(err)
		}
	}
	view := index.View() // stays as it is, whatever is added or removed
	index.Remove(2)

	query := []float32{0, 0.8, 0.6}
	found, err := view.Search(context.Background(), query, 2, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, neighbour := range found {
		fmt.Printf("group %d, by part %d: %.2f\n", neighbour.Group, neighbour.Part, neighbour.Score)
	}
	fmt.Println(view.Len(), "groups in the view,", index.View().Len(), "in the index")
	// Output:
	// group 1, by part 1: 0.96
	// group 2, by part 0: 0.64
	// 3 groups in the view, 2 in the index
}
