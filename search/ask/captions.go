package ask

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mekiki/embed"
	"mekiki/embed/answering"
	"mekiki/embed/decode"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
)

// CaptionWriter writes captions of pictures with a second stage: of each prompt the likeliest, and samples beside it. It is
// a writer of captions for package ingest.
type CaptionWriter struct {
	asker   *Asker
	prompts []string
	samples int
}

// NewCaptionWriter makes one. Without prompts the model's own is taken. Samples is how many captions are drawn for each
// prompt besides the likeliest, at most [MaximumSamples]; see [Caption].
func NewCaptionWriter(asker *Asker, prompts []string, samples int) *CaptionWriter {
	if len(prompts) == 0 {
		prompts = []string{asker.model.Prompts.Caption}
	}
	return &CaptionWriter{asker: asker, prompts: prompts, samples: max(0, min(samples, MaximumSamples))}
}

// NeedsPixels reports whether the second stage reads pictures with a vision encoder of its own.
func (w *CaptionWriter) NeedsPixels() bool { return w.asker.first == nil }

// WriteCaptions writes captions of pictures. Tokens are those of the first stage; they serve where both stages have one
// vision encoder, and else pictures are read anew.
func (w *CaptionWriter) WriteCaptions(ctx context.Context, images []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	if w.NeedsPixels() {
		tokens = make([]embed.ImageTokens, len(images))
		for i, image := range images {
			var err error
			if tokens[i], err = pictures.Tokens(ctx, w.asker.images, image); err != nil {
				return nil, err
			}
		}
	}
	states, err := w.asker.statesOf(ctx, tokens)
	if err != nil {
		return nil, err
	}
	captions := make([][]index.Caption, len(states))
	for _, prompt := range w.prompts {
		ways := []decode.Options{Caption(w.asker.model.Prompts, &prompt).Decode}
		if w.samples > 0 {
			ways = append(ways, decode.Options{Method: decode.Nucleus, Count: w.samples, MinimumTokens: sampleFewest, MaximumTokens: captionTokens, Seed: sampleSeed})
		}
		for _, way := range ways {
			if err := w.write(ctx, states, prompt, way, captions); err != nil {
				return nil, err
			}
		}
	}
	return captions, nil
}

// write adds the captions of one prompt, written in one way.
func (w *CaptionWriter) write(ctx context.Context, states []answering.ImageStates, prompt string, way decode.Options, captions [][]index.Caption) error {
	prompts := make([]answering.Prompt, len(states))
	for i, one := range states {
		prompts[i] = answering.Prompt{States: one, Text: prompt}
	}
	if len(prompts) == 0 {
		return nil
	}
	generated, err := w.asker.answerer.Generate(ctx, prompts, way, nil)
	if err != nil {
		return fmt.Errorf("write captions: %w", err)
	}
	if len(generated) != len(prompts) {
		return errors.New("write captions: got another number of answers than pictures")
	}
	for i := range captions {
		for _, text := range generated[i] {
			caption := index.Caption{Text: prefixed(prompt, text.Text), Match: -1, Model: w.asker.model.Fingerprint, Prompt: prompt}
			if !slices.Contains(captions[i], caption) {
				captions[i] = append(captions[i], caption)
			}
		}
	}
	return nil
}

// prefixed gives a whole caption: what a model writes after "a photo of" is the rest of one.
func prefixed(prompt, text string) string {
	if text = oneLine(text); text == "" {
		return ""
	}
	return oneLine(prompt + " " + text)
}
