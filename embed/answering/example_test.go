package answering_test

import (
	"context"
	"fmt"
	"strings"

	"mekiki/embed/answering"
	"mekiki/embed/blip2"
	"mekiki/embed/decode"
	"mekiki/embed/manifest"
	"mekiki/embed/ort"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
)

// A second stage answers questions about images. Where both stages have one vision encoder, the image tokens may come from
// the first.
func ExampleOpen() {
	ask := func(ctx context.Context, runtime *ort.Runtime, folder string, image *pixels.Image, question string) error {
		engine, err := answering.Open(ctx, runner.Options{ModelDir: folder, Families: []manifest.Family{blip2.Family()}, Runtime: runtime})
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
		_, err = engine.Generate(ctx, []answering.Prompt{{States: states[0], Text: text}}, decode.Options{MaximumTokens: 10},
			func(_ int, piece string) error {
				_, err := fmt.Print(piece)
				return err
			})
		return err
	}
	_ = ask
}
