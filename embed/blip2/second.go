package blip2

import (
	"context"
	"errors"
	"slices"

	"mekiki/embed/language"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/quantize"
	tokenizers "mekiki/embed/tokenize/language"
	"mekiki/internal/hint"
)

// imageStatesGraph is the graph from image tokens to the states of the queries; of a model whose Q-Former reads the prompt
// from its token ids as well.
func imageStatesGraph(config modelconfig.Config, weights *quantize.Store) *onnx.Graph {
	q := newQueryFormer("image_states", config, weights)
	tokens := q.imageTokens()
	if !config.Language.Instructed {
		q.Output(manifest.ImageStatesName, q.imageStates(tokens))
		return q.Graph
	}
	ids, mask := q.textInputs()
	q.Output(manifest.ImageStatesName, q.matchLayers(ids, mask, func(layer int, x onnx.Value) onnx.Value {
		return q.crossAttention(layer, x, q.crossMemory(layer, tokens))
	}))
	return q.Graph
}

// secondGraphs are the graphs of a second stage that share the Q-Former's data file.
func secondGraphs(config modelconfig.Config) []quantize.Graph {
	return []quantize.Graph{
		{File: manifest.ImageStatesFile, Build: func(weights *quantize.Store) *onnx.Graph { return imageStatesGraph(config, weights) }},
		{File: manifest.LanguageInputFile, Build: func(weights *quantize.Store) *onnx.Graph { return language.InputGraph(config, weights) }},
	}
}

// generationFile says how texts are written.
const generationFile = "generation_config.json"

// vocabularies are the tokenizer's files of which one is needed.
var vocabularies = []string{"tokenizer.json", "vocab.json", "spiece.model", "tokenizer.model"}

// writeTokenizer copies the tokenizer's files.
func writeTokenizer(source Source, dir string) (names []string, err error) {
	names, err = tokenizers.Copy(source.ReadFile, dir, generationFile)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(names, func(name string) bool { return slices.Contains(vocabularies, name) }) {
		return nil, hint.Wrap(errors.New("checkpoint has no tokenizer for its language model"),
			"put tokenizer.json, or spiece.model, or vocab.json and merges.txt beside its weights")
	}
	return names, nil
}

// writeSecond writes what a second stage has beside graphs, and says which files that are.
func writeSecond(ctx context.Context, source Source, dir string) ([]manifest.File, error) {
	config := source.Config()
	if err := language.Check(*config.Language); err != nil {
		return nil, err
	}
	names, err := writeTokenizer(source, dir)
	if err != nil {
		return nil, err
	}
	if config.Language.Instructed {
		if err := writeVocabulary(source, dir); err != nil {
			return nil, err
		}
		names = append(names, manifest.VocabularyFile)
	}
	if err := language.WriteEmbeddingsFile(ctx, *config.Language, source, dir); err != nil {
		return nil, err
	}
	return describeAll(ctx, dir, append(names, manifest.EmbeddingsFile))
}

// describeAll describes files of a folder.
func describeAll(ctx context.Context, dir string, names []string) ([]manifest.File, error) {
	files := make([]manifest.File, len(names))
	for i, name := range names {
		var err error
		if files[i], err = manifest.Describe(ctx, dir, name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// secondSignatures describes the graphs of a second stage, its vision encoder excepted.
func secondSignatures(config modelconfig.Config, tokens, ids, mask ort.Value) []manifest.Signature {
	queries, hidden := int64(config.QueryTokens), int64(config.QFormer.HiddenSize)
	states := ort.Value{Name: manifest.ImageStatesName, Type: ort.Float32, Shape: []int64{-1, queries, hidden}}
	work := estimate(config)
	reading := manifest.Signature{File: manifest.ImageStatesFile, Data: qformerData,
		Inputs: []ort.Value{tokens}, Outputs: []ort.Value{states}, Work: work.parts}
	if config.Language.Instructed {
		reading.Inputs, reading.Work = append(reading.Inputs, ids, mask), work.match
	}
	width := int64(config.Language.HiddenSize)
	input := manifest.Signature{File: manifest.LanguageInputFile, Data: qformerData, Inputs: []ort.Value{states},
		Outputs: []ort.Value{{Name: manifest.EmbeddingsName, Type: ort.Float32, Shape: []int64{-1, queries, width}}},
		Work:    float64(queries * hidden * width)}
	return append([]manifest.Signature{reading, input}, language.Signatures(*config.Language)...)
}

// languageParts are the parts of a float32 model that hold the language model.
func languageParts(config modelconfig.Language) []part {
	var parts []part
	for _, graph := range language.Graphs(config) {
		doing := "language model"
		if graph.File == manifest.LanguageEncodeFile {
			doing = "language model's encoder"
		}
		parts = append(parts, part{doing, language.DataOf(graph.File), []quantize.Graph{graph}})
	}
	return parts
}
