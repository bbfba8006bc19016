package blip2

import (
	"context"
	"errors"
	"math"
	"path/filepath"

	"mekiki/embed/checkpoint"
	"mekiki/embed/language"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/ort"
	"mekiki/embed/quantize"
	tokenizers "mekiki/embed/tokenize/language"
)

// writeQuantizedSecond writes the graphs of a second stage: vision encoder and Q-Former in int8 as a first stage's, the
// language model in 4 or 8 bits.
func writeQuantizedSecond(ctx context.Context, source Source, dir string, options CompileOptions, compiled *manifest.Manifest) error {
	config := source.Config()
	samples, err := newSamples(config, heads{}, options)
	if err != nil {
		return err
	}
	encoder := samples.encoder(config)
	if options.SharedVision {
		encoder.Graph.File = ""
	}
	products := config.QFormer.Layers*8 + 4 // of the Q-Former, about
	layers := config.Language.Layers + config.Language.DecoderLayers
	tuning := quantize.Options{Runtime: options.Runtime, Threads: options.Threads, Logger: options.Logger,
		Step: newSteps(options, config.Vision.Layers+products+layers+3).next}
	result, err := quantize.Write(ctx, quantize.Model{
		Weights: source,
		Encoder: encoder,
		Graphs: quantize.Graphs{
			Name: "query transformer", Data: qformerData, List: secondGraphs(config), Encoded: manifest.ImageTokensName,
			Float32: []string{language.Projection(config).Name()}, // read once a text, and all that it reads of an image
			Samples: samples.stateInputs, Results: samples.stateResults,
		},
	}, dir, tuning)
	if err != nil {
		return err
	}
	model, err := languageModel(ctx, source, dir, samples, result.Encoded, options)
	if err != nil {
		return err
	}
	written, err := quantize.WriteLanguage(ctx, model, dir, tuning)
	if err != nil {
		return err
	}
	result.Check.Language = written.Check.Language
	compiled.Files = append(result.Files, written.Files...)
	compiled.Quantization, compiled.SelfCheck = append(result.Choices, written.Choices...), &result.Check
	return nil
}

// stateRuns are the inputs of the image states' graph: each image, of an instructed Q-Former with a text.
func (s samples) stateRuns(tokens []ort.Tensor) [][]ort.Tensor {
	runs := imageRuns(tokens)
	if s.config.Language.Instructed {
		texts := s.textRuns()
		for i := range runs {
			runs[i] = append(runs[i], texts[i%len(texts)]...)
		}
	}
	return runs
}

// stateInputs are what the Q-Former's products are chosen by.
func (s samples) stateInputs(_ context.Context, _ quantize.Run, tokens []ort.Tensor) (map[string][][]ort.Tensor, error) {
	return map[string][][]ort.Tensor{manifest.ImageStatesFile: s.stateRuns(tokens)}, nil
}

// stateResults runs the image states' graph. The states, which norms end, are compared as unit rows.
func (s samples) stateResults(ctx context.Context, run quantize.Run, tokens []ort.Tensor) (quantize.Results, error) {
	result := quantize.Results{Width: s.config.QFormer.HiddenSize}
	results, least, err := run(ctx, manifest.ImageStatesFile, s.stateRuns(tokens))
	for _, outputs := range results {
		result.Parts = append(result.Parts, unitRows(outputs[0].Float32(), result.Width))
	}
	result.Time = least
	return result, err
}

// unitRows divides rows by their lengths.
func unitRows(values []float32, width int) []float32 {
	units := make([]float32, len(values))
	for start := 0; start+width <= len(values); start += width {
		var squares float64
		for _, value := range values[start : start+width] {
			squares += float64(value) * float64(value)
		}
		factor := 1 / math.Max(math.Sqrt(squares), 1e-12)
		for i, value := range values[start : start+width] {
			units[start+i] = float32(float64(value) * factor)
		}
	}
	return units
}

// languageModel is the language model to be quantised, with texts about the samples that the model written so far made
// image tokens of.
func languageModel(ctx context.Context, source Source, dir string, samples samples, tokens []ort.Tensor, options CompileOptions) (quantize.LanguageModel, error) {
	config := source.Config()
	projected, err := projectStates(ctx, dir, samples, tokens, options)
	if err != nil {
		return quantize.LanguageModel{}, err
	}
	texts, err := continuations(source, options)
	if err != nil {
		return quantize.LanguageModel{}, err
	}
	embeddings, table, err := manifest.OpenEmbeddings(*config.Language, dir)
	if err != nil {
		return quantize.LanguageModel{}, err
	}
	defer table.Close()
	var list []language.Sample
	for i, text := range texts {
		list = append(list, language.Sample{Image: projected[i%len(projected)].Float32(), Text: text})
	}
	chains, states, judged, err := language.Chains(*config.Language, list, embeddings)
	return quantize.LanguageModel{Weights: source, Chains: chains, Samples: states, Judged: judged, Four: options.Precision == manifest.Int4}, err
}

// projectStates runs what was written of a second stage on image tokens, up to the language model's embeddings.
func projectStates(ctx context.Context, dir string, samples samples, tokens []ort.Tensor, options CompileOptions) ([]ort.Tensor, error) {
	config := samples.config
	signatures := secondSignatures(config, imageTokensValue(config), textValue(manifest.TokenIDsName), textValue(manifest.AttentionMaskName))
	runs := samples.stateRuns(tokens)
	for _, graph := range signatures[:2] { // image states, projection
		session, err := options.Runtime.Session(ctx, ort.SessionOptions{Path: filepath.Join(dir, graph.File), Inputs: graph.Inputs,
			Outputs: graph.Outputs, Threads: options.Threads})
		if err != nil {
			return nil, err
		}
		for i := range runs {
			if runs[i], err = session.Run(ctx, runs[i]...); err != nil {
				return nil, errors.Join(err, session.Close())
			}
		}
		if err := session.Close(); err != nil {
			return nil, err
		}
	}
	projected := make([]ort.Tensor, len(runs))
	for i, run := range runs {
		projected[i] = run[0]
	}
	return projected, nil
}

// sentences are what a language model might say of an image, and be asked.
var sentences = []string{
	"a woman sitting on the beach with a dog",
	"Question: How many people are in the picture? Answer: two.",
	"a photo of a red car parked in front of an old house, with trees in the background",
	"Question: What is the animal on the left doing? Answer: It is sleeping on the sofa.",
	"Question: Which city is this? Answer: Singapore. Question: Why? Answer: It has a statue of a merlion.",
	"The picture shows a table with a bowl of fruit, a cup of coffee and an open book. It was probably taken in the morning.",
}

// continuations are the caller's texts, or sentences in the checkpoint's own tokens, or drawn tokens where its tokenizer
// cannot be read.
func continuations(source Source, options CompileOptions) ([][]int64, error) {
	config := source.Config().Language
	texts := options.Continuations
	if len(texts) == 0 {
		tokenizer, err := tokenizers.Open(source.ReadFile)
		if err != nil {
			options.Logger.Warn("the samples for the language model are drawn tokens: its tokenizer cannot be read", "error", err)
			return drawContinuations(*config), nil
		}
		for _, sentence := range sentences {
			texts = append(texts, tokenizer.Encode(sentence, mostContinuation).IDs)
		}
	}
	for _, text := range texts {
		for _, id := range text {
			if id < 0 || id >= int64(config.VocabularySize) {
				return nil, errors.New("a sample text has a token that the language model does not know")
			}
		}
		if room := language.Capacity(*config); room > 0 && len(text)+source.Config().QueryTokens+1 > room {
			return nil, errors.New("a sample text is longer than the language model reads")
		}
	}
	return texts, nil
}

// drawContinuations draws tokens that may be written.
func drawContinuations(config modelconfig.Language) [][]int64 {
	texts := make([][]int64, len(sentences))
	for i := range texts {
		for _, bits := range checkpoint.RandomBits("continuation", uint64(i), drawnLength) {
			texts[i] = append(texts[i], int64(bits%uint64(max(1, config.Words))))
		}
	}
	return texts
}
