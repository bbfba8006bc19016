package blip2

import (
	"fmt"
	"slices"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// The graph that says where matching looks is the second half of matching with two
// more outputs: what the queries of the last layer that looks at the image ask of
// it, and the logits of each query. It computes nothing new, so it is derived from
// the file of that half when it is opened: models of every age have it, and none
// changes its fingerprint.

// lastLook is the last layer whose queries look at the image.
func lastLook(config modelconfig.Config) int {
	last := 0
	for layer := range config.QFormer.Layers {
		if config.QFormer.CrossAttends(layer) {
			last = layer
		}
	}
	return last
}

// mapGrid says how image tokens lie in the image.
func mapGrid(config modelconfig.Config) manifest.Grid {
	side := config.Vision.ImageSize / config.Vision.PatchSize
	return manifest.Grid{Rows: side, Columns: side, First: config.Vision.Tokens() - side*side}
}

// mapOf says how a model tells where matching looks; nil where it does not match.
func mapOf(model manifest.Manifest) *manifest.Map {
	if !model.Capabilities().Match {
		return nil
	}
	config := model.Config
	ids := ort.Value{Name: manifest.TokenIDsName, Type: ort.Int64, Shape: []int64{-1, -1}}
	mask := ort.Value{Name: manifest.AttentionMaskName, Type: ort.Int64, Shape: []int64{-1, -1}}
	return &manifest.Map{Graph: mapSignature(config, ids, mask), Grid: mapGrid(config), Heads: config.QFormer.Heads}
}

// mapSignature describes the graph.
func mapSignature(config modelconfig.Config, ids, mask ort.Value) manifest.Signature {
	work := estimate(config)
	return manifest.Signature{
		File: manifest.MatchMapFile, From: manifest.MatchTextFile, Data: qformerData,
		Derive: func(graph []byte) ([]byte, error) { return mapGraph(config, graph) },
		Inputs: append([]ort.Value{ids, mask}, memoryValues(config)...),
		Outputs: []ort.Value{
			{Name: manifest.MapQueriesName, Type: ort.Float32, Shape: []int64{1, -1, int64(config.QFormer.HiddenSize)}},
			{Name: manifest.MapLogitsName, Type: ort.Float32, Shape: []int64{-1, int64(config.QueryTokens), 2}},
		},
		Work: work.match - work.memory,
	}
}

// mapGraph makes the graph from the file of the second half of matching.
func mapGraph(config modelconfig.Config, graph []byte) ([]byte, error) {
	nodes, err := onnx.Nodes(graph)
	if err != nil {
		return nil, err
	}
	last := lastLook(config)
	queries, err := queriesOf(nodes, fmt.Sprint(manifest.MemoryPrefix, last))
	if err != nil {
		return nil, err
	}
	logits, err := averaged(nodes, manifest.LogitsName)
	if err != nil {
		return nil, err
	}
	return onnx.AddOutputs(graph, map[string]string{manifest.MapQueriesName: queries, manifest.MapLogitsName: logits}), nil
}

// queriesOf is the name of what the attention to the memory of that name reads as its
// queries: the memory is cut in two, keys and values.
func queriesOf(nodes []onnx.Node, memory string) (string, error) {
	for _, cut := range nodes {
		if cut.Operator != "Split" || len(cut.Inputs) == 0 || cut.Inputs[0] != memory || len(cut.Outputs) == 0 {
			continue
		}
		for _, node := range nodes {
			if node.Operator == "MultiHeadAttention" && len(node.Inputs) > 2 && node.Inputs[1] == cut.Outputs[0] {
				return node.Inputs[0], nil
			}
		}
	}
	return "", fmt.Errorf("no attention reads %s", memory)
}

// averaged is the name of what is averaged to the output of that name.
func averaged(nodes []onnx.Node, output string) (string, error) {
	for range 2 { // the output itself, and what it is a copy of
		at := slices.IndexFunc(nodes, func(node onnx.Node) bool { return slices.Contains(node.Outputs, output) })
		if at < 0 || len(nodes[at].Inputs) == 0 {
			break
		}
		if output = nodes[at].Inputs[0]; nodes[at].Operator == "ReduceMean" {
			return output, nil
		}
	}
	return "", fmt.Errorf("no mean gives the output %s", manifest.LogitsName)
}
