package vector

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"mekiki/index/vector/kernels"
)

// BenchmarkImages searches images of 32 parts each, of 256 values, for the ten
// nearest to a text.
func BenchmarkImages(b *testing.B) {
	const width, parts = 256, 32
	for _, images := range []int{1000, 10_000} {
		source := rand.New(rand.NewPCG(2, 2))
		index := newIndexed(width, kernels.All()[0])
		for image := range uint64(images) {
			// Parts of an image are near each other.
			middle, vectors := draw(source, width, 1), draw(source, width, parts)
			for i := range vectors {
				vectors[i] = 0.9*middle[i%width] + 0.4*vectors[i]
			}
			if err := index.Add(image, vectors); err != nil {
				b.Fatal(err)
			}
		}
		view := index.index.View()
		for _, queries := range []int{1, parts} {
			query := draw(source, width, queries)
			b.Run(fmt.Sprintf("%d-images/%d-queries", images, queries), func(b *testing.B) {
				for b.Loop() {
					if _, err := view.Search(b.Context(), query, 10, nil); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*images*parts), "ns/vector")
			})
		}
	}
}
