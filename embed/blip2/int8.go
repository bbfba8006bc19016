package blip2

import (
	"context"
	"fmt"
	"slices"

	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/quantize"
)

// writeInt8 writes the graphs in int8, with the products in float32 that lose too
// much by it.
func writeInt8(ctx context.Context, source Source, dir string, options CompileOptions, compiled *manifest.Manifest) error {
	config := source.Config()
	samples, err := newSamples(config, headsOf(source), options)
	if err != nil {
		return err
	}
	products := config.QFormer.Layers*8 + 4 // of the Q-Former, about
	result, err := quantize.Write(ctx, quantize.Model{
		Weights: source,
		Encoder: samples.encoder(config),
		Graphs: quantize.Graphs{
			Name: "query transformer", Data: qformerData, List: queryGraphs(config, samples.heads),
			Encoded: manifest.ImageTokensName,
			Float32: []string{visionHead, textHead, matchHead}, // too small to gain, too near the result to lose
			Samples: samples.inputs, Results: samples.results,
		},
	}, dir, quantize.Options{Runtime: options.Runtime, Threads: options.Threads, Logger: options.Logger,
		Step: newSteps(options, config.Vision.Layers+products+2).next})
	if err != nil {
		return err
	}
	compiled.Files, compiled.Quantization, compiled.SelfCheck = result.Files, result.Choices, &result.Check
	return nil
}

// encoder is the vision encoder, layer by layer.
func (s samples) encoder(config modelconfig.Config) quantize.Encoder {
	vision, side := config.Vision, int64(config.Vision.ImageSize)
	encoder := quantize.Encoder{Graph: visionGraphOf(config), Data: visionData}
	for _, image := range s.images {
		encoder.Input = append(encoder.Input, ort.Float32Tensor(image, 1, 3, side, side))
	}
	piece := func(doing string, input onnx.Shape, apply func(*visionEncoder, onnx.Value) onnx.Value, products ...quantize.LayerProduct) {
		encoder.Layers = append(encoder.Layers, quantize.Layer{Doing: doing, Products: products,
			Build: func(weights *quantize.Store) (*onnx.Graph, onnx.Value) {
				v := newVisionEncoder("vision_layer", vision, weights)
				return v.Graph, apply(v, v.Input(quantize.StreamName, onnx.Float32, input...))
			}})
	}
	size := onnx.Fixed(vision.ImageSize)
	piece("", onnx.Shape{onnx.Dynamic(batchSize), onnx.Fixed(3), size, size}, (*visionEncoder).embeddings)
	stream := func(layer int) onnx.Shape {
		return onnx.Shape{onnx.Dynamic(batchSize), onnx.Fixed(vision.LayerTokens(layer)), onnx.Fixed(vision.HiddenSize)}
	}
	for i := range vision.Layers {
		piece(fmt.Sprintf("vision layer %d of %d", i+1, vision.Layers), stream(i), func(v *visionEncoder, x onnx.Value) onnx.Value {
			next := v.layer(i, v.takeStream(x, i))
			v.passStream(next, i+1)
			return next.rows
		}, layerProducts(vision, i)...)
	}
	piece("", stream(vision.Layers), func(v *visionEncoder, x onnx.Value) onnx.Value {
		return v.unmerge(v.normalizeStream(x, vision.Layers), v.takeStream(x, vision.Layers).source)
	})
	return encoder
}

// Names under which a layer leaves what merged tokens stand for to the next, whose number follows.
const (
	sizesPrefix  = "token_sizes_"
	sourcePrefix = "token_source_"
)

// takeStream is rows with what the layers before have merged, as inputs of the graph.
func (v *visionEncoder) takeStream(rows onnx.Value, layer int) visionStream {
	stream := newVisionStream(rows)
	if count := v.config.LayerTokens(layer); count < v.config.Tokens() {
		batch := onnx.Dynamic(batchSize)
		stream.source = v.Input(fmt.Sprint(sourcePrefix, layer), onnx.Int64, batch, onnx.Fixed(v.config.Tokens()))
		if layer < v.config.Layers {
			stream.sizes = v.Input(fmt.Sprint(sizesPrefix, layer), onnx.Float32, batch, onnx.Fixed(count), onnx.Fixed(1))
		}
	}
	return stream
}

// passStream makes outputs of what takeStream takes.
func (v *visionEncoder) passStream(stream visionStream, layer int) {
	if stream.source.Missing() {
		return
	}
	v.Output(fmt.Sprint(sourcePrefix, layer), stream.source)
	v.Output(fmt.Sprint(sizesPrefix, layer), stream.sizes)
}

// layerProducts are the products of a vision layer. Those that read a layer norm can
// be smoothed by it, the attention's output by the values.
func layerProducts(config modelconfig.Vision, layer int) []quantize.LayerProduct {
	qkv, projection, first, second := visionProducts(config, layer)
	norm := func(name string) func(quantize.Plan, []float32) {
		name = fmt.Sprintf("vision_model.encoder.layers.%d.%s", layer, name)
		return func(plan quantize.Plan, factors []float32) { plan.DivideNorm(name, factors) }
	}
	return []quantize.LayerProduct{
		{Product: qkv, Fold: norm("layer_norm1")},
		{Product: projection, Fold: func(plan quantize.Plan, factors []float32) { plan.DivideOutputs(qkv, 2*config.HiddenSize, factors) }},
		{Product: first, Fold: norm("layer_norm2")},
		{Product: second},
	}
}

// inputs are what the Q-Former's products are chosen by: every text once.
func (s samples) inputs(ctx context.Context, run quantize.Run, tokens []ort.Tensor) (map[string][][]ort.Tensor, error) {
	steps, err := s.captionRuns(ctx, run, tokens)
	return map[string][][]ort.Tensor{
		manifest.ImagePartsFile:  imageRuns(tokens),
		manifest.TextFile:        s.textRuns(),
		manifest.MatchFile:       s.matchRuns(tokens, 1),
		manifest.CaptionStepFile: steps,
	}, err
}

// results runs the image, text, match and caption graphs, matching every text with
// two images.
func (s samples) results(ctx context.Context, run quantize.Run, tokens []ort.Tensor) (quantize.Results, error) {
	result := quantize.Results{Width: s.config.ProjectionSize}
	first := func(file string, runs [][]ort.Tensor, outputs ...string) (values [][]float32, err error) {
		results, least, err := run(ctx, file, runs, outputs...)
		if file == manifest.ImagePartsFile {
			result.Time = least
		}
		for _, outputs := range results {
			values = append(values, outputs[0].Float32())
		}
		return values, err
	}
	var err error
	if result.Parts, err = first(manifest.ImagePartsFile, imageRuns(tokens)); err != nil {
		return result, err
	}
	if result.Texts, err = first(manifest.TextFile, s.textRuns()); err != nil {
		return result, err
	}
	if s.heads.match {
		result.Match, err = first(manifest.MatchFile, s.matchRuns(tokens, min(2, len(tokens))))
		if err != nil {
			return result, err
		}
	}
	steps, err := s.captionRuns(ctx, run, tokens)
	if err != nil || len(steps) == 0 {
		return result, err
	}
	logits, err := first(manifest.CaptionStepFile, steps, manifest.LogitsName)
	for i, values := range logits {
		result.Captions = append(result.Captions, quantize.LogProbabilities(values, s.texts[i]))
	}
	return result, err
}

func imageRuns(tokens []ort.Tensor) [][]ort.Tensor {
	runs := make([][]ort.Tensor, len(tokens))
	for i, image := range tokens {
		runs[i] = []ort.Tensor{image}
	}
	return runs
}

func (s samples) textRuns() [][]ort.Tensor {
	runs := make([][]ort.Tensor, len(s.texts))
	for i, text := range s.texts {
		ids, mask := textTensors(text)
		runs[i] = []ort.Tensor{ids, mask}
	}
	return runs
}

// matchRuns matches every text with so many images.
func (s samples) matchRuns(tokens []ort.Tensor, images int) [][]ort.Tensor {
	texts := s.textRuns()
	var runs [][]ort.Tensor
	for i := range images * len(texts) {
		runs = append(runs, append([]ort.Tensor{tokens[(i+i/len(texts))%len(tokens)]}, texts[i%len(texts)]...))
	}
	return runs
}

// captionRuns lets every text caption an image, whose keys and values it computes
// first; there are none without a captioning head.
func (s samples) captionRuns(ctx context.Context, run quantize.Run, tokens []ort.Tensor) ([][]ort.Tensor, error) {
	if !s.heads.caption {
		return nil, nil
	}
	memory, _, err := run(ctx, manifest.CaptionStartFile, imageRuns(tokens))
	if err != nil {
		return nil, err
	}
	var runs [][]ort.Tensor
	for i, text := range s.texts {
		ids, _ := textTensors(text)
		runs = append(runs, append([]ort.Tensor{ids, positions(len(text))}, memory[i%len(memory)]...))
	}
	return runs, nil
}

// textTensors is a text's token ids and mask as a batch of one.
func textTensors(text []int64) (ids, mask ort.Tensor) {
	size := int64(len(text))
	return ort.Int64Tensor(text, 1, size), ort.Int64Tensor(slices.Repeat([]int64{1}, len(text)), 1, size)
}

// positions is the numbers from 0 up to count, excluded.
func positions(count int) ort.Tensor {
	values := make([]int64, count)
	for i := range values {
		values[i] = int64(i)
	}
	return ort.Int64Tensor(values, int64(count))
}
