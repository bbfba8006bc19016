package ask_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/ask"
)

// TestCaptionsOfSeveralPrompts: each prompt begins its captions, and they say who wrote them.
func TestCaptionsOfSeveralPrompts(t *testing.T) {
	s := newScene(2)
	asker := newAsker(t, s, ask.Options{})
	writer := ask.NewCaptionWriter(asker, []string{"", "a photo of"}, 2)
	captions, err := writer.WriteCaptions(t.Context(), make([]*pixels.Image, 2), []embed.ImageTokens{tokensOf(1), tokensOf(2)})
	if err != nil {
		t.Fatal(err)
	}
	caption := func(text, prompt string) index.Caption {
		return index.Caption{Text: text, Match: -1, Model: "second", Prompt: prompt}
	}
	want := [][]index.Caption{{caption("no", ""), caption("a photo of no", "a photo of")}, {caption("yes", ""), caption("a photo of yes", "a photo of")}}
	if diff := cmp.Diff(want, captions); diff != "" || writer.NeedsPixels() {
		t.Errorf("needs pixels: %v; %s", writer.NeedsPixels(), diff)
	}
}

// TestCaptionsByOwnVision reads the pixels, whatever tokens there are.
func TestCaptionsByOwnVision(t *testing.T) {
	s := newScene(1)
	s.vision, s.ownVision = "another", "vit"
	writer := ask.NewCaptionWriter(newAsker(t, s, ask.Options{}), nil, 0)
	image, err := pixels.Decode(t.Context(), numbered(2), pixels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	captions, err := writer.WriteCaptions(t.Context(), []*pixels.Image{image}, []embed.ImageTokens{tokensOf(1)})
	if err != nil || captions[0][0].Text != "yes" || !writer.NeedsPixels() || s.images != 1 {
		t.Errorf("%+v, %d pictures read, %v", captions, s.images, err)
	}
}
