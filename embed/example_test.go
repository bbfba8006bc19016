package embed_test

import (
	"context"
	"fmt"
	"strings"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/pixels"
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

// A second stage answers questions about images. Where both stages have one vision encoder, the image tokens may come from
// the first.
func ExampleOpenAnswerer() {
	ask := func(ctx context.Context, runtime *ort.Runtime, folder string, image *pixels.Image, question string) error {
		engine, err := embed.OpenAnswerer(ctx, embed.Options{ModelDir: folder, Families: []manifest.Family{blip2.Family()}, Runtime: runtime})
		if err != nil {
			return err
		}
		defer engine.Close()
		tokens, err := engine.ImageTokens(ctx, []*pixels.Image{image})
		if err != nil {
			return err
		}
		states, err := engine.States(ctx, tokens)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(engine.AnswerModel().Prompts.Question, "{}", question)
		_, err = engine.Generate(ctx, []embed.Prompt{{States: states[0], Text: text}}, decode.Options{MaximumTokens: 10},
			func(_ int, piece string) error {
				_, err := fmt.Print(piece)
				return err
			})
		return err
	}
	_ = ask
}
