package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest/captioning"
)

// scribe writes captions of given lengths; of the engine, a caption matches by its length.
type scribe struct {
	lengths []int
	pixels  bool // it needs them
	calls   int
}

func (s *scribe) NeedsPixels() bool { return s.pixels }

func (s *scribe) WriteCaptions(_ context.Context, pictures []*pixels.Image, tokens []embed.ImageTokens) ([][]index.Caption, error) {
	s.calls++
	all := make([][]index.Caption, len(tokens))
	for i := range tokens {
		if s.pixels && pictures[i] == nil {
			return nil, errors.New("there are no pixels")
		}
		for _, length := range s.lengths {
			all[i] = append(all[i], index.Caption{Text: strings.Repeat("w", length), Model: "scribe", Prompt: "a photo of"})
		}
	}
	return all, nil
}

// described gives the captions of the library's pictures.
func described(t *testing.T, library index.Library) (captions [][]index.Caption) {
	t.Helper()
	reader, err := library.Reader(t.Context())
	must(t, err)
	defer reader.Close()
	for record, err := range reader.All(t.Context()) {
		must(t, err)
		captions = append(captions, record.Captions)
	}
	return captions
}

func TestCaptionsOfALanguageModelAreFiltered(t *testing.T) {
	for name, test := range map[string]struct {
		source captioning.Source
		keep   int
		want   []index.Caption
	}{
		"lm":       {captioning.LM, 3, []index.Caption{{Text: "wwwwwwwww", Match: 0.9, Model: "scribe", Prompt: "a photo of"}, {Text: "wwwww", Match: 0.5, Model: "scribe", Prompt: "a photo of"}}},
		"one of":   {captioning.LM, 1, []index.Caption{{Text: "wwwwwwwww", Match: 0.9, Model: "scribe", Prompt: "a photo of"}}},
		"both":     {captioning.Both, 2, []index.Caption{{Text: "wwwwwwwww", Match: 0.9, Model: "scribe", Prompt: "a photo of"}, {Text: "wwwww", Match: 0.5, Model: "scribe", Prompt: "a photo of"}}},
		"itg":      {captioning.ITG, 1, []index.Caption{{Text: "a picture  !", Match: 0.2, Model: "model"}}},
		"ordinary": {"", 1, []index.Caption{{Text: "a picture  !", Match: 0.2, Model: "model"}}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, testImage(t, 1, 40, 30), folder, "photos", "a.jpg")
			library := openLibrary(t, filepath.Join(folder, "library"))
			mustRun(t, library, newCounting("model"), Options{
				Paths: []string{filepath.Join(folder, "photos")}, Captions: test.keep, CaptionSource: test.source, CaptionWriter: &scribe{lengths: []int{5, 3, 9, 9, 14}},
			})
			if diff := cmp.Diff([][]index.Caption{test.want}, described(t, library)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCaptionsNeedAWriter(t *testing.T) {
	for _, options := range []Options{{CaptionSource: captioning.LM}, {CaptionSource: "poet", CaptionWriter: &scribe{}}} {
		if options.Validate() == nil {
			t.Errorf("%+v is taken", options)
		}
	}
}

func TestRecaption(t *testing.T) {
	folder := t.TempDir()
	for i := range 20 {
		write(t, testImage(t, uint64(i), 40, 30), folder, "photos", fmt.Sprintf("%02d.jpg", i))
	}
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("model")
	mustRun(t, library, engine, Options{Paths: []string{filepath.Join(folder, "photos")}})
	images := engine.images.Load()
	var steps []int
	result, err := captioning.Recaption(t.Context(), library, engine, captioning.RecaptionOptions{
		Source: captioning.LM, Writer: &scribe{lengths: []int{8}}, Progress: func(now captioning.Recaptioned) { steps = append(steps, now.Done) },
	})
	must(t, err)
	if diff := cmp.Diff(captioning.Recaptioned{Pictures: 20, Done: 20, Described: 20}, result); diff != "" || len(steps) != 3 {
		t.Errorf("%s, steps %v", diff, steps)
	}
	for _, captions := range described(t, library) {
		if diff := cmp.Diff([]index.Caption{{Text: "wwwwwwww", Match: 0.8, Model: "scribe", Prompt: "a photo of"}}, captions); diff != "" {
			t.Fatal(diff)
		}
	}
	if engine.images.Load() != images {
		t.Error("pictures were read, although the library has their tokens")
	}
	// One that needs pixels reads originals; a file that is gone costs itself alone and keeps its captions.
	must(t, os.Remove(filepath.Join(folder, "photos", "03.jpg")))
	result, err = captioning.Recaption(t.Context(), library, engine, captioning.RecaptionOptions{Source: captioning.LM, Writer: &scribe{lengths: []int{2}, pixels: true}})
	must(t, err)
	if diff := cmp.Diff(captioning.Recaptioned{Pictures: 20, Done: 20, Rejected: 19, Failed: 1}, result); diff != "" {
		t.Error(diff)
	}
	left := 0
	for _, captions := range described(t, library) {
		left += len(captions)
	}
	if left != 1 {
		t.Errorf("%d captions are left", left)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := captioning.Recaption(ctx, library, engine, captioning.RecaptionOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
