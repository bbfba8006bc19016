package answering_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/manifest"
	"mekiki/embed/pixels"
	"mekiki/embed/runner"
)

// otherNorm is a checkpoint whose vision encoder ends with another norm.
type otherNorm struct{ blip2.Source }

func (o otherNorm) Float32(ctx context.Context, name string) ([]float32, error) {
	values, err := o.Source.Float32(ctx, name)
	if strings.HasPrefix(name, "vision_model.post_layernorm.") {
		for i := range values {
			values[i] += 0.3 * float32(1+i%5)
		}
	}
	return values, err
}

// TestSecondStageReadsTokensOfAnotherNorm gives a second stage image tokens of an encoder that ends with another norm.
func TestSecondStageReadsTokensOfAnotherNorm(t *testing.T) {
	reference := readSecond(t, "t5")
	options := blip2.CompileOptions{Precision: manifest.Float32}
	first := openAnswerer(t, runner.Options{ModelDir: compileSource(t, otherNorm{secondSource(t, reference)}, options)})
	second := openAnswerer(t, runner.Options{ModelDir: compileSecond(t, reference, options)})
	change, ok := second.AnswerModel().Vision.From(first.AnswerModel().Vision)
	if !ok || first.AnswerModel().Vision.ID == second.AnswerModel().Vision.ID {
		t.Fatalf("%v of encoders %+v", ok, first.AnswerModel().Vision)
	}
	picture := &pixels.Image{Width: 30, Height: 20, Pix: make([]byte, 3*30*20)}
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * 7)
	}
	theirs, err := first.ImageTokens(t.Context(), []*pixels.Image{picture})
	if err != nil {
		t.Fatal(err)
	}
	own, err := second.ImageTokens(t.Context(), []*pixels.Image{picture})
	if err != nil {
		t.Fatal(err)
	}
	states, err := second.States(t.Context(), []embed.ImageTokens{own[0], change.Apply(theirs[0]), theirs[0]})
	if err != nil {
		t.Fatal(err)
	}
	if worst := distance(states[0].Values, states[1].Values); worst > 1e-4 {
		t.Errorf("states differ by %g", worst)
	}
	if unchanged := distance(states[0].Values, states[2].Values); unchanged < 1e-2 {
		t.Errorf("the norms make no difference: %g", unchanged)
	}
}

// distance is the largest difference of two values in one place.
func distance(a, b []float32) (worst float64) {
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
	}
	return worst
}
