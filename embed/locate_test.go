package embed_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/runner"
)

// TestLocate: a map has the size of the grid and the answer of matching, and takes
// nothing that the model's folder did not have.
func TestLocate(t *testing.T) {
	for _, precision := range []manifest.Precision{manifest.Float32, manifest.Int8} {
		t.Run(string(precision), func(t *testing.T) {
			runtime := orttest.Open(t)
			engine := openEngine(t, runner.Options{Runtime: runtime, ModelDir: compile(t, false, blip2.CompileOptions{Precision: precision, Runtime: runtime})})
			tokens := imageTokens(t, engine, 1)[0]
			const text = "abcd"
			want, err := engine.Match(t.Context(), tokens, []string{text})
			if err != nil {
				t.Fatal(err)
			}
			for _, method := range []embed.MapMethod{"", embed.MapAttention, embed.MapOcclusion} {
				found, err := engine.Locate(t.Context(), tokens, text, embed.LocateOptions{Method: method})
				if err != nil {
					t.Fatal(err)
				}
				if err := found.Validate(); err != nil {
					t.Error(err)
				}
				if found.Rows != 4 || found.Columns != 4 {
					t.Errorf("%q: a map of %dx%d, want 4x4 patches", method, found.Rows, found.Columns)
				}
				for i := range want[0].Logits {
					if math.Abs(float64(found.Match.Logits[i]-want[0].Logits[i])) > 1e-4 {
						t.Errorf("%q: logits %v, matching says %v", method, found.Match.Logits, want[0].Logits)
					}
				}
			}
			if err := engine.Manifest().CheckFolder(engine.ModelDir()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLocateRefuses(t *testing.T) {
	engine := openEngine(t, runner.Options{})
	tokens := imageTokens(t, engine, 1)[0]
	if _, err := engine.Locate(t.Context(), tokens, "abc", embed.LocateOptions{Method: "guess"}); err == nil {
		t.Error("an unknown method is taken")
	}
	if _, err := engine.Locate(t.Context(), embed.ImageTokens{Rows: 1, Columns: 1, Values: []float32{1}}, "abc", embed.LocateOptions{}); err == nil {
		t.Error("tokens of another model are taken")
	}
}

// TestLocateStops: occlusion tells how far it is, and stops between two runs when it is
// not wanted any more.
func TestLocateStops(t *testing.T) {
	engine := openEngine(t, runner.Options{Threads: 1})
	tokens := imageTokens(t, engine, 1)[0]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runs, most := 0, 0
	_, err := engine.Locate(ctx, tokens, "abc", embed.LocateOptions{Method: embed.MapOcclusion, Progress: func(done, total int) {
		runs, most = done, total
		if done == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || runs != 3 || most <= 3 {
		t.Errorf("stopped after %d of %d runs with %v, want 3 and context.Canceled", runs, most, err)
	}
}

func TestMapRegion(t *testing.T) {
	found := embed.Map{Rows: 3, Columns: 4, Values: []float32{
		0, 0, 0, 0.9, // strong, but apart from the peak
		0.6, 1, 0, 0,
		0.4, 0.5, 0, 0,
	}}
	region, some := found.Region()
	if want := (embed.Region{Left: 0, Top: 1.0 / 3, Right: 0.5, Bottom: 1}); !some || region != want {
		t.Errorf("region %v %v, want %v", region, some, want)
	}
	if where := found.Place().String(); where != "mostly on the left" && where != "mostly lower left" {
		t.Errorf("it is %q", where)
	}
	for want, values := range map[string][]float32{
		"mostly upper right": {0, 0, 1, 0, 0, 0, 0, 0, 0}, "mostly in the centre": {0, 0, 0, 0, 1, 0, 0, 0, 0},
		"mostly at the bottom": {0, 0, 0, 0, 0, 0, 0, 1, 0.1}, "nowhere": make([]float32, 9),
		"all over the picture": {1, 1, 0.9, 1, 0.8, 1, 1, 1, 0},
	} {
		if got := (embed.Map{Rows: 3, Columns: 3, Values: values}).Place().String(); got != want {
			t.Errorf("it is %q, want %q", got, want)
		}
	}
	if _, some := (embed.Map{Rows: 1, Columns: 2, Values: make([]float32, 2)}).Region(); some {
		t.Error("a map of zeros has a region")
	}
}
