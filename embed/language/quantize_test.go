package language

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"mekiki/embed/manifest"
	"mekiki/embed/ort/orttest"
	"mekiki/embed/quantize"
)

// TestQuantized writes the models of the references in 4 and in 8 bits, and wants the written graphs to give nearly what
// float32's do.
func TestQuantized(t *testing.T) {
	runtime := orttest.Open(t)
	for _, r := range readReferences(t) {
		for _, four := range []bool{true, false} {
			name := r.Name + " in 8 bits"
			if four {
				name = r.Name + " in 4 bits"
			}
			t.Run(name, func(t *testing.T) {
				var table bytes.Buffer
				if err := WriteEmbeddings(t.Context(), r.Language, r, &table); err != nil {
					t.Fatal(err)
				}
				embeddings, err := manifest.NewEmbeddings(r.Language, bytes.NewReader(table.Bytes()), int64(table.Len()))
				if err != nil {
					t.Fatal(err)
				}
				var samples []Sample
				for i, prompt := range r.Prompts {
					vectors := r.prompt(i)[:r.Vectors*r.Language.HiddenSize]
					samples = append(samples, Sample{Image: vectors, Text: slices.Concat(prompt.IDs, prompt.Written)})
				}
				chains, states, judged, err := Chains(r.Language, samples, embeddings)
				if err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				result, err := quantize.WriteLanguage(t.Context(), quantize.LanguageModel{Weights: r, Chains: chains, Samples: states, Judged: judged, Four: four},
					dir, quantize.Options{Runtime: runtime, Threads: 1, Step: func(string) {}, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				check := *result.Check.Language
				t.Logf("%+v", check)
				if !check.Good() || check.Positions == 0 {
					t.Errorf("check is %+v", check)
				}
				methods := map[string]int{}
				for _, choice := range result.Choices {
					methods[choice.Method]++
					if strings.HasSuffix(choice.Layer, "embed_tokens") || strings.HasSuffix(choice.Layer, "shared") || strings.HasSuffix(choice.Layer, "lm_head") {
						if choice.Method == string(quantize.PerBlock4) {
							t.Errorf("the head %s is stored in 4 bits", choice.Layer)
						}
					}
				}
				t.Log(methods)
				if (methods[string(quantize.PerBlock4)] > 0) != four || methods[string(quantize.PerBlock)] == 0 ||
					(methods[string(quantize.PerRow)] > 0) != HasEncoder(r.Language) {
					t.Errorf("methods are %v", methods)
				}
				x := newText(t, runtime, dir, r.Language)
				prompt := r.prompt(0)
				if x.encode != nil {
					x.read(t, prompt)
					prompt = r.embed(r.Language.Start)
				}
				size := r.Language.VocabularySize
				logits := x.next(t, prompt, int32(len(prompt)/r.Language.HiddenSize-1))
				if divergence := quantize.Divergence(r.Prompts[0].Logits.Values(t)[:size], logits); divergence > 0.3 {
					t.Errorf("the first token's distribution diverges by %.3f", divergence)
				}
			})
		}
	}
}
