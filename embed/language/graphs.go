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
		graphs = append(graphs, graphOf(config, manifest.LanguageEncodeFile, EncodeGraph))
	}
	return append(graphs, graphOf(config, manifest.LanguageStepFile, StepGraph))
}

func graphOf(config checkpoint.Language, file string, build func(checkpoint.Language, *quantize.Store) *onnx.Graph) quantize.Graph {
	return quantize.Graph{File: file, Build: func(weights *quantize.Store) *onnx.Graph { return build(config, weights) }}
}
