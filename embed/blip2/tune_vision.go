package blip2

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// choosingImages is how many of the samples the choice looks at.
const choosingImages = 2

// visionRun is the vision encoder's progress over the sample images, in
// float32 and in int8 side by side.
type visionRun struct {
	exact, quantized               []ort.Tensor // the residual stream, then the image tokens
	exactSeconds, quantizedSeconds float64      // for one image
}

// tuneVision chooses for every product of the vision encoder, layer by layer,
// writing the chosen weights to the model's store on the way. It returns the
// image tokens of the samples in both precisions.
func (t *tuner) tuneVision(ctx context.Context, dir string, weights *store) (visionRun, error) {
	var run visionRun
	side := int64(t.config.Vision.ImageSize)
	for _, image := range t.samples.images {
		run.exact = append(run.exact, ort.Float32Tensor(image, 1, 3, side, side))
	}
	run.quantized = run.exact
	if err := t.advance(ctx, dir, weights, &run, t.visionStart); err != nil {
		return run, err
	}
	for i := range t.config.Vision.Layers {
		t.step(fmt.Sprintf("vision layer %d of %d", i+1, t.config.Vision.Layers))
		if err := t.tuneVisionLayer(ctx, dir, weights, &run, i); err != nil {
			return run, err
		}
	}
	err := t.advance(ctx, dir, weights, &run, t.visionEnd)
	return run, err
}

// tuneVisionLayer chooses for the products of a layer and runs it on both
// streams.
func (t *tuner) tuneVisionLayer(ctx context.Context, dir string, weights *store, run *visionRun, layer int) error {
	piece := func(weights *store) *onnx.Graph { return t.visionLayer(weights, layer) }
	return t.inFloat(ctx, func(exact *store) error {
		uses, err := t.tapVisionLayer(ctx, exact, layer, run.exact[:min(choosingImages, len(run.exact))])
		if err != nil {
			return err
		}
		if err := t.chooseVisionLayer(ctx, weights.plan, layer, uses); err != nil {
			return err
		}
		return t.advanceBoth(ctx, dir, exact, weights, run, piece)
	})
}

// inFloat gives a store of float32 weights to use, for pieces in the scratch
// folder.
func (t *tuner) inFloat(ctx context.Context, use func(*store) error) error {
	data, err := onnx.CreateDataFile(t.scratch, pieceData)
	if err != nil {
		return err
	}
	return closeData(data, use(newStore(ctx, t.source, data, newPlan(methodFloat))))
}

// advance runs a piece of the encoder on both streams.
func (t *tuner) advance(ctx context.Context, dir string, weights *store, run *visionRun, piece func(*store) *onnx.Graph) error {
	return t.inFloat(ctx, func(exact *store) error { return t.advanceBoth(ctx, dir, exact, weights, run, piece) })
}

func (t *tuner) advanceBoth(ctx context.Context, dir string, exact, weights *store, run *visionRun, piece func(*store) *onnx.Graph) error {
	streams, seconds, err := runEach(run.exact, func(use runner) error { return t.piece(ctx, t.scratch, exact, piece, use) })
	if err != nil {
		return err
	}
	quantized, quantizedSeconds, err := runEach(run.quantized, func(use runner) error { return t.piece(ctx, dir, weights, piece, use) })
	run.exact, run.quantized = streams, quantized
	run.exactSeconds += seconds
	run.quantizedSeconds += quantizedSeconds
	return err
}

// runEach runs a graph of one input and one output on every input and returns
// also the least time of a run in seconds.
func runEach(inputs []ort.Tensor, with func(use runner) error) ([]ort.Tensor, float64, error) {
	results := make([]ort.Tensor, len(inputs))
	var least time.Duration
	err := with(func(run func(...ort.Tensor) ([]ort.Tensor, error)) error {
		for i, input := range inputs {
			start := time.Now()
			outputs, err := run(input)
			if err != nil {
				return err
			}
			if took := time.Since(start); i == 0 || took < least {
				least = took
			}
			results[i] = outputs[0]
		}
		return nil
	})
	return results, least.Seconds(), err
}

const streamName = "stream"

func (t *tuner) encoder(name string, weights *store) *visionEncoder {
	return &visionEncoder{&network{Graph: onnx.NewGraph(name), store: weights}, t.config.Vision}
}

func (t *tuner) streamInput(v *visionEncoder) onnx.Value {
	return v.Input(streamName, onnx.Float32, onnx.Dynamic(batchSize), onnx.Fixed(v.config.Tokens()), onnx.Fixed(v.config.HiddenSize))
}

// visionStart is the piece from pixels to the residual stream.
func (t *tuner) visionStart(weights *store) *onnx.Graph {
	v := t.encoder("vision_start", weights)
	side := onnx.Fixed(v.config.ImageSize)
	v.Output(streamName+"_after", v.embeddings(v.Input(PixelsName, onnx.Float32, onnx.Dynamic(batchSize), onnx.Fixed(3), side, side)))
	return v.Graph
}

// visionEnd is the piece from the residual stream to image tokens.
func (t *tuner) visionEnd(weights *store) *onnx.Graph {
	v := t.encoder("vision_end", weights)
	v.Output(ImageTokensName, v.normalizeStream(t.streamInput(v), v.config.Layers))
	return v.Graph
}

// visionLayer is the piece of one layer. If the store taps products, their
// uses are its outputs instead.
func (t *tuner) visionLayer(weights *store, layer int) *onnx.Graph {
	v := t.encoder("vision_layer", weights)
	after := v.layer(layer, t.streamInput(v))
	if weights.taps != nil {
		weights.taps.outputs(v.Graph)
		return v.Graph
	}
	v.Output(streamName+"_after", after)
	return v.Graph
}

// tapVisionLayer runs a layer in float32 on streams and returns the uses of
// its products; none where all is settled.
func (t *tuner) tapVisionLayer(ctx context.Context, exact *store, layer int, streams []ort.Tensor) (tapValues, error) {
	taps, uses := newTapped(), tapValues{}
	qkv, projection, first, second := visionProducts(t.config.Vision, layer)
	if !slices.ContainsFunc([]linear{qkv, projection, first, second}, func(l linear) bool { _, ok := t.vision.settled(l); return !ok }) {
		return uses, nil
	}
	exact.taps = taps
	defer func() { exact.taps = nil }()
	err := t.piece(ctx, t.scratch, exact, func(weights *store) *onnx.Graph { return t.visionLayer(weights, layer) },
		func(run func(...ort.Tensor) ([]ort.Tensor, error)) error {
			for _, stream := range streams {
				outputs, err := run(stream)
				if err != nil {
					return err
				}
				taps.sort(taps.products, outputs, uses)
			}
			return nil
		})
	return uses, err
}

// chooseVisionLayer chooses for the four products of a layer by their uses.
func (t *tuner) chooseVisionLayer(ctx context.Context, plan plan, layer int, uses tapValues) error {
	qkv, projection, first, second := visionProducts(t.config.Vision, layer)
	prefix := fmt.Sprintf("vision_model.encoder.layers.%d.", layer)
	width := t.config.Vision.HiddenSize
	for _, product := range []struct {
		linear
		candidates []candidate
		fold       func(factors []float32)
	}{
		{qkv, smoothCandidates, func(factors []float32) { plan.norms[prefix+"layer_norm1"] = factors }},
		{projection, smoothCandidates, func(factors []float32) { plan.columns[qkv.name()] = append(ones(2*width), factors...) }},
		{first, smoothCandidates, func(factors []float32) { plan.norms[prefix+"layer_norm2"] = factors }},
		{second, plainCandidates, nil},
	} {
		chosen, err := t.decide(ctx, plan, t.vision, product.linear, uses[product.name()], product.candidates)
		if err != nil {
			return err
		}
		if chosen.factors != nil {
			plan.rows[product.name()] = chosen.factors
			product.fold(chosen.factors)
		}
	}
	return nil
}

func ones(count int) []float32 {
	values := make([]float32, count)
	for i := range values {
		values[i] = 1
	}
	return values
}
