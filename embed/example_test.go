package embed_test

import (
	"fmt"

	"mekiki/embed"
)

// ITC's score of an image and a text is the largest cosine of any of the image's parts
// with the text's vector.
func ExampleParts_Similarity() {
	image := embed.Parts{Count: 2, Width: 3, Values: []float32{
		1, 0, 0, // a part that looks at one thing
		0, 0.6, 0.8, // and one that looks at another
	}}
	score, part := image.Similarity(embed.Vector{0, 1, 0})
	fmt.Printf("%.1f by part %d\n", score, part)
	// Output: 0.6 by part 1
}
