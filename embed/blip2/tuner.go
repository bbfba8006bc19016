package blip2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"mekiki/embed/checkpoint"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// tuner chooses how an int8 model computes its products. It runs pieces of
// the model in float32 and in int8 on samples, small enough that a piece's
// weights, not the model's, are in memory at once.
type tuner struct {
	runtime *ort.Runtime
	threads int
	scratch string // folder for pieces
	source  *recent
	config  checkpoint.Config
	samples samples
	logger  *slog.Logger
	step    func(doing string)

	captions       bool // the model has a captioning head
	vision, former *choices
	graphs         []*tappedGraph // of the Q-Former, in float32
	exact          *outcome       // what float32 makes of the samples
}

// makeRoom returns what Go does not need any more to the system, so that graphs,
// which the runtime keeps outside Go's memory, find room.
func (t *tuner) makeRoom() {
	t.source.forget()
	debug.FreeOSMemory()
}

// Files of the piece that is being run, and of a product's trial.
const (
	pieceData  = "piece.bin"
	pieceGraph = "piece.onnx"
	trialData  = "trial.bin"
	trialFile  = "trial.onnx"
)

// runner uses an open graph by running it.
type runner func(run func(...ort.Tensor) ([]ort.Tensor, error)) error

// open opens a graph for the time of use.
func (t *tuner) open(ctx context.Context, path string, use runner) error {
	return t.openFor(ctx, ort.SessionOptions{Path: path}, func(string) bool { return true }, use)
}

// openFor opens a graph with the wanted ones of its outputs, in the graph's order.
func (t *tuner) openFor(ctx context.Context, options ort.SessionOptions, wanted func(output string) bool, use runner) (err error) {
	model, err := ort.Inspect(options.Path)
	if err != nil {
		return err
	}
	options.Inputs, options.Threads = model.Inputs, t.threads
	options.Outputs = slices.DeleteFunc(model.Outputs, func(output ort.Value) bool { return !wanted(output.Name) })
	session, err := t.runtime.Session(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	return use(func(inputs ...ort.Tensor) ([]ort.Tensor, error) { return session.Run(ctx, inputs...) })
}

// piece runs a graph built from a store's weights, for whose time it is
// written into the store's folder dir.
func (t *tuner) piece(ctx context.Context, dir string, weights *store, build func(*store) *onnx.Graph, use runner) error {
	graph := build(weights)
	if err := errors.Join(graph.Err(), weights.data.Flush()); err != nil {
		return err
	}
	if err := graph.Write(dir, pieceGraph); err != nil {
		return err
	}
	path := filepath.Join(dir, pieceGraph)
	return errors.Join(t.open(ctx, path, use), os.Remove(path))
}

// decide chooses for the product l, unless that is settled, and notes it in the plan.
func (t *tuner) decide(ctx context.Context, plan plan, choices *choices, l linear, uses []tap[ort.Tensor], candidates []candidate) (verdict, error) {
	chosen, ok := choices.settled(l)
	if !ok {
		var err error
		if chosen, err = t.choose(ctx, l, uses, candidates, levels[choices.levels[l.name()]]); err != nil {
			return verdict{}, err
		}
	}
	choices.settle(l, chosen)
	plan.methods[l.name()], plan.centres[l.name()] = chosen.method, chosen.centre
	return chosen, nil
}

// tapPrefix begins the names of tapped outputs.
const tapPrefix = "tap_"

// tap is one use of a product: what it read and what it gave, in float32.
type tap[T any] struct{ input, output T }

// tapped collects the uses of a graph's products and makes them outputs.
type tapped struct {
	products []linear
	uses     map[string][]tap[onnx.Value]
}

func newTapped() *tapped { return &tapped{uses: map[string][]tap[onnx.Value]{}} }

func (p *tapped) add(l linear, input, output onnx.Value) {
	if _, ok := p.uses[l.name()]; !ok {
		p.products = append(p.products, l)
	}
	p.uses[l.name()] = append(p.uses[l.name()], tap[onnx.Value]{input, output})
}

// inputName and outputName name use j of product i as outputs.
func inputName(i, j int) string { return fmt.Sprintf("%sinput_%d_%d", tapPrefix, i, j) }

func outputName(i, j int) string { return fmt.Sprintf("%soutput_%d_%d", tapPrefix, i, j) }

// outputs makes everything collected outputs, in order.
func (p *tapped) outputs(graph *onnx.Graph) {
	for i, l := range p.products {
		for j, use := range p.uses[l.name()] {
			graph.Output(inputName(i, j), use.input)
			graph.Output(outputName(i, j), use.output)
		}
	}
}

// outputNames lists the outputs that belong to these products.
func (p *tapped) outputNames(products []linear) []string {
	var names []string
	for i, l := range p.products {
		if !hasProduct(products, l) {
			continue
		}
		for j := range p.uses[l.name()] {
			names = append(names, inputName(i, j), outputName(i, j))
		}
	}
	return names
}

func hasProduct(products []linear, l linear) bool {
	return slices.ContainsFunc(products, func(other linear) bool { return other.name() == l.name() })
}

// tapValues are the tapped values of runs, by product.
type tapValues map[string][]tap[ort.Tensor]

// sort files a run's outputs, which are those that belong to these products,
// under their products.
func (p *tapped) sort(products []linear, outputs []ort.Tensor, into tapValues) {
	at := 0
	for _, l := range p.products {
		if !hasProduct(products, l) {
			continue
		}
		for range p.uses[l.name()] {
			into[l.name()] = append(into[l.name()], tap[ort.Tensor]{outputs[at], outputs[at+1]})
			at += 2
		}
	}
}
