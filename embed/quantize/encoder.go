package quantize

import (
	"context"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
)

// Encoder is the part of a model through whose layers the samples pass first.
type Encoder struct {
	Graph Graph        // all of it; without a File it is not written
	Data  string       // the file of its weights
	Input []ort.Tensor // of the first layer, for each sample
	// Layers lead from Input to what the graph gives, each from what the one before
	// gave.
	Layers []Layer
}

// chain is the encoder without its input.
func (e Encoder) chain() Chain { return Chain{Graph: e.Graph, Data: e.Data, Layers: e.Layers} }

// encoded is what the encoder makes of the samples, in float32 and in int8 side by side.
type encoded struct {
	exact, quantized               []ort.Tensor
	exactSeconds, quantizedSeconds float64 // for one sample
}

// writeEncoder writes the encoder, choosing layer by layer what is not chosen yet,
// and returns what it makes of the samples in both precisions.
func (t *tuner) writeEncoder(ctx context.Context, dir string) (encoded, []manifest.File, error) {
	var states []State
	for _, input := range t.model.Encoder.Input {
		states = append(states, State{StreamName: input})
	}
	progress := newProgress(states)
	files, err := t.writeChain(ctx, dir, t.model.Encoder.chain(), progress)
	return encoded{streams(progress.exact), streams(progress.quantized), progress.exactSeconds, progress.quantizedSeconds}, files, err
}

// streams are the streams of states.
func streams(states []State) []ort.Tensor {
	list := make([]ort.Tensor, len(states))
	for i, state := range states {
		list[i] = state[StreamName]
	}
	return list
}
