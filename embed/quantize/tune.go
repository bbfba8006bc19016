package quantize

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
)

// Model is what an architecture hands over to be quantised.
type Model struct {
	Weights Weights
	Encoder Encoder
	Graphs  Graphs
}

// Options says how to choose.
type Options struct {
	Runtime *ort.Runtime
	// Threads bounds the threads of a run; 0 means all processors.
	Threads int
	// Step is told what begins.
	Step func(doing string)
	// Logger receives what was tried and chosen.
	Logger *slog.Logger
}

// Result is a model in int8.
type Result struct {
	Files   []manifest.File
	Choices []manifest.LayerChoice
	Check   manifest.SelfCheck
	// Encoded is what the encoder makes of the samples.
	Encoded []ort.Tensor
}

// Write writes a model in int8 into the folder dir, choosing product by product. If
// the model fails its check, the part that is to blame, and in it the products that
// lose most, are chosen again with narrower limits, until the model passes or all of
// the part is in float32: the check tells what it loses.
func Write(ctx context.Context, model Model, dir string, options Options) (Result, error) {
	scratch, err := os.MkdirTemp(dir, "scratch-")
	if err != nil {
		return Result{}, err
	}
	t := &tuner{model: model, options: options, scratch: scratch, source: newRecent(model.Weights), ports: map[string]ports{},
		encoder: newChoices(), graphs: newChoices(), choosing: choosingSamples}
	result, err := t.tune(ctx, dir)
	return result, errors.Join(err, os.RemoveAll(scratch))
}

// tuner chooses how an int8 model computes its products. It runs pieces of the
// model in float32 and in int8 on samples.
type tuner struct {
	model   Model
	options Options
	scratch string // folder for pieces
	source  *recent
	ports   map[string]ports // by path

	encoder, graphs *choices
	choosing        int            // how many of the samples the choice in chains looks at
	language        bool           // the chains are a language model's
	four            bool           // which may be stored in 4 bits
	tapped          []*tappedGraph // the float32 graphs
	exact           *Results       // what float32 makes of the samples
}

// tune writes both parts of the model, and again what the check blames.
func (t *tuner) tune(ctx context.Context, dir string) (Result, error) {
	var result Result
	progress, encoder, err := t.writeEncoder(ctx, dir)
	if err != nil {
		return result, err
	}
	graphs, err := t.writeGraphs(ctx, dir, progress)
	if err != nil {
		return result, err
	}
	for {
		if result.Check, err = t.check(ctx, dir, progress); err != nil {
			return result, err
		}
		if result.Check.Good() {
			break
		}
		blamed, err := t.blame(ctx, dir, progress)
		if err != nil {
			return result, err
		}
		inEncoder, inGraphs := t.tighten(blamed)
		t.options.Logger.Info("int8 loses too much, choosing again what is to blame", "loss", result.Check.Loss(),
			"encoder_products", inEncoder, "graph_products", inGraphs)
		if inEncoder > 0 {
			if progress, encoder, err = t.writeEncoder(ctx, dir); err != nil {
				return result, err
			}
		}
		if inGraphs > 0 {
			if graphs, err = t.writeGraphs(ctx, dir, progress); err != nil {
				return result, err
			}
		}
		if inEncoder+inGraphs == 0 {
			break
		}
	}
	result.Files, result.Choices = slices.Concat(encoder, graphs), slices.Concat(t.encoder.list(), t.graphs.list())
	result.Encoded = progress.quantized
	return result, nil
}

// freeMemory returns what Go does not need any more to the system, so that graphs,
// which the runtime keeps outside Go's memory, find room.
func (t *tuner) freeMemory() {
	t.source.forget()
	debug.FreeOSMemory()
}

// decide chooses for the product p, unless that is done, and notes it in the plan.
func (t *tuner) decide(ctx context.Context, plan Plan, choices *choices, p Product, uses []tap[ort.Tensor], by policy) (verdict, error) {
	chosen, ok := choices.decided(p)
	if !ok {
		var err error
		if chosen, err = t.choose(ctx, p, uses, by.candidates, by.levels[choices.levels[p.Name()]]); err != nil {
			return verdict{}, err
		}
	}
	choices.note(p, chosen)
	plan.methods[p.Name()], plan.centres[p.Name()], plan.weighs[p.Name()] = chosen.method, chosen.centre, chosen.weighs
	return chosen, nil
}

// blame says which part of an int8 model makes it lose too much.
type blame struct {
	encoder bool
	graphs  []string // the files of those that lose too much
}

// blame runs the samples with one part in int8 and the other in float32, and the other way round.
func (t *tuner) blame(ctx context.Context, dir string, progress encoded) (blame, error) {
	withEncoder, err := t.model.Graphs.Results(ctx, t.runIn(t.scratch), progress.quantized)
	if err != nil {
		return blame{}, err
	}
	withGraphs, err := t.model.Graphs.Results(ctx, t.runIn(dir), progress.exact)
	if err != nil {
		return blame{}, err
	}
	encoder, graphs := Compare(*t.exact, withEncoder), Compare(*t.exact, withGraphs)
	t.options.Logger.Debug("losses of the parts", "encoder", encoder.Loss(), "graphs", graphs.Loss())
	return blamed(encoder, graphs), nil
}

// blamed says who is to blame by the checks of a model whose encoder alone is in int8, and of one whose graphs alone are:
// each that fails, or the worse one where only both together do.
func blamed(encoder, graphs manifest.SelfCheck) blame {
	result := blame{encoder: !encoder.Good()}
	if !result.encoder && graphs.Good() {
		result.encoder = encoder.Loss() >= graphs.Loss()
	}
	if graphs.Good() && result.encoder {
		return result
	}
	for _, loss := range graphs.Losses() {
		if loss.Share == graphs.Loss() || !(loss.Share <= 1) {
			result.graphs = append(result.graphs, loss.Files...)
		}
	}
	return result
}

// tighten takes narrower limits for the worst products of what is to blame, and counts those that have to be chosen again.
func (t *tuner) tighten(b blame) (inEncoder, inGraphs int) {
	if b.encoder {
		inEncoder = t.encoder.tighten(func(Product) bool { return true })
	}
	if len(b.graphs) == 0 {
		return inEncoder, 0
	}
	return inEncoder, t.graphs.tighten(func(p Product) bool {
		return slices.ContainsFunc(t.tapped, func(graph *tappedGraph) bool {
			return slices.Contains(b.graphs, graph.file) && hasProduct(graph.products, p)
		})
	})
}
