package language

import (
	"mekiki/embed/checkpoint"
	"mekiki/embed/manifest"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// Graphs are the graphs of a language model itself, without the projection into it.
func Graphs(config checkpoint.Language) []quantize.Graph {
	var graphs []quantize.Graph
	if HasEncoder(config) {
		graphs = append(graphs, quantize.Graph{File: manifest.LanguageEncodeFile,
			Build: func(weights *quantize.Store) *onnx.Graph { return EncodeGraph(config, weights) }})
	}
	return append(graphs, quantize.Graph{File: manifest.LanguageStepFile,
		Build: func(weights *quantize.Store) *onnx.Graph { return StepGraph(config, weights) }})
}

// EmbeddingTensor names the tensor of the token embedding.
func EmbeddingTensor(config checkpoint.Language) string {
	switch config.Architecture {
	case checkpoint.OPT:
		return optPrefix + "embed_tokens.weight"
	case checkpoint.T5:
		return prefix + "shared.weight"
	}
	return llamaPrefix + "embed_tokens.weight"
}
