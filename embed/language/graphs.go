package language

import (
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/quantize"
)

// Graphs are the graphs of a language model itself, without the projection into it.
func Graphs(config modelconfig.Language) []quantize.Graph {
	var graphs []quantize.Graph
	if HasEncoder(config) {
		graphs = append(graphs, graphOf(config, manifest.LanguageEncodeFile, EncodeGraph))
	}
	return append(graphs, graphOf(config, manifest.LanguageStepFile, StepGraph))
}

func graphOf(config modelconfig.Language, file string, build func(modelconfig.Language, *quantize.Store) *onnx.Graph) quantize.Graph {
	return quantize.Graph{File: file, Build: func(weights *quantize.Store) *onnx.Graph { return build(config, weights) }}
}
