package blip2test_test

import (
	"math"
	"testing"

	"mekiki/embed/blip2/blip2test"
	"mekiki/embed/checkpoint"
	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/modelconfig"
)

// TestLanguageReferences recomputes the two products that need no layers, so that weights and outputs are known to belong
// together: the projection, and the head.
func TestLanguageReferences(t *testing.T) {
	for _, reference := range blip2test.ReadLanguageReferences(t, "../testdata/language") {
		t.Run(reference.Name, func(t *testing.T) {
			weights, language := reference.Weights(t), reference.Config.Language
			head := "language_model.lm_head.weight"
			if language.Tied {
				head = tensors.LanguageEmbedding(*language)
			}
			scale := 1.0
			if language.ScaleOutput {
				scale = math.Pow(float64(language.HiddenSize), -0.5)
			}
			detailed := 0
			for _, c := range reference.Cases {
				if !c.Detailed() {
					continue
				}
				detailed++
				same(t, "projection", c.Projected, product(t, weights, c.States, "language_projection.weight", "language_projection.bias", 1))
				same(t, "head", c.Logits, product(t, weights, c.Decoder.Normed, head, "", scale))
				layers := language.Layers
				if language.Architecture == modelconfig.T5 {
					layers = language.DecoderLayers
					if len(c.Encoder.Layers) != language.Layers+1 {
						t.Errorf("%d layers of the encoder", len(c.Encoder.Layers))
					}
				}
				if len(c.Decoder.Layers) != layers+1 {
					t.Errorf("%d layers of the decoder", len(c.Decoder.Layers))
				}
			}
			if detailed == 0 {
				t.Error("no case has the outputs of every layer")
			}
		})
	}
}

// product multiplies the rows of x with a weight [out in], scaled, and adds a bias unless its name is empty.
func product(t *testing.T, weights *checkpoint.Random, x blip2test.Array, weight, bias string, scale float64) []float32 {
	t.Helper()
	w, err := weights.Float32(t.Context(), weight)
	if err != nil {
		t.Fatal(err)
	}
	shape, _ := weights.Shape(weight)
	out, in := shape[0], shape[1]
	added := make([]float32, out)
	if bias != "" {
		if added, err = weights.Float32(t.Context(), bias); err != nil {
			t.Fatal(err)
		}
	}
	values := x.Values(t)
	var result []float32
	for row := range len(values) / in {
		for column := range out {
			sum := float64(added[column])
			for k := range in {
				sum += scale * float64(values[row*in+k]) * float64(w[column*in+k])
			}
			result = append(result, float32(sum))
		}
	}
	return result
}

func same(t *testing.T, what string, want blip2test.Array, got []float32) {
	t.Helper()
	values := want.Values(t)
	if len(values) != len(got) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(values))
	}
	for i, value := range values {
		if difference := math.Abs(float64(value - got[i])); !(difference < 1e-5) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], value)
		}
	}
}
