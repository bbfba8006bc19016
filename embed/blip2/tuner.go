package blip2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/checkpoint"
	"mekiki/embed/onnx"
	"mekiki/embed/ort"
)

// tuner chooses how an int8 model computes its products. It runs pieces of
// the model in float32 and in int8 on samples, small enough that a piece's
// weights, not the model's, are in memory at once.
type tuner struct {
	ctx     context.Context // of the compilation
	runtime *ort.Runtime
	threads int
	scratch string // folder for pieces
	source  Source
	config  checkpoint.Config
	samples samples
	logger  *slog.Logger
	step    func(doing string)
	choices []LayerChoice
}

// Files of the piece that is being run.
const (
	pieceData  = "piece.bin"
	pieceGraph = "piece.onnx"
)

// runner uses an open graph by running it.
type runner func(run func(...ort.Tensor) ([]ort.Tensor, error)) error

// session writes a graph whose weights go to a data file of its own, opens it
// and hands a function that runs it to use.
func (t *tuner) session(build func(*onnx.DataFile) *onnx.Graph, use runner) error {
	data, err := onnx.CreateDataFile(t.scratch, pieceData)
	if err != nil {
		return err
	}
	err = build(data).Write(t.scratch, pieceGraph)
	if err := closeData(data, err); err != nil {
		return err
	}
	return t.open(filepath.Join(t.scratch, pieceGraph), "", use)
}

// open opens a graph for the time of use, with those of its outputs whose
// names have the given prefix.
func (t *tuner) open(path, prefix string, use runner) (err error) {
	model, err := ort.Inspect(path)
	if err != nil {
		return err
	}
	outputs := slices.DeleteFunc(model.Outputs, func(output ort.Value) bool { return !strings.HasPrefix(output.Name, prefix) })
	session, err := t.runtime.Session(t.ctx, ort.SessionOptions{Path: path, Inputs: model.Inputs, Outputs: outputs, Threads: t.threads})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	return use(func(inputs ...ort.Tensor) ([]ort.Tensor, error) { return session.Run(t.ctx, inputs...) })
}

// float runs a graph built from the checkpoint in float32.
func (t *tuner) float(build func(*store) *onnx.Graph, use runner) error {
	return t.session(func(data *onnx.DataFile) *onnx.Graph {
		return build(newStore(t.ctx, t.source, data, newPlan(methodFloat)))
	}, use)
}

// final runs a graph built from the model's own weights, written to dir.
func (t *tuner) final(dir string, weights *store, build func(*store) *onnx.Graph, use runner) error {
	graph := build(weights)
	if err := errors.Join(graph.Err(), weights.data.Flush()); err != nil {
		return err
	}
	if err := graph.Write(dir, pieceGraph); err != nil {
		return err
	}
	path := filepath.Join(dir, pieceGraph)
	return errors.Join(t.open(path, "", use), os.Remove(path))
}

// record notes a verdict for the manifest and the plan.
func (t *tuner) record(plan plan, l linear, verdict verdict) {
	plan.methods[l.name()] = verdict.method
	t.choices = append(t.choices, LayerChoice{Layer: l.name(), Method: string(verdict.method), Error: verdict.error})
}

// tapPrefix begins the names of tapped outputs.
const tapPrefix = "tap_"

// tapped collects the inputs of a graph's products and makes them outputs.
type tapped struct {
	products []linear
	values   map[string][]onnx.Value
}

func (p *tapped) add(x onnx.Value, l linear) {
	if _, ok := p.values[l.name()]; !ok {
		p.products = append(p.products, l)
	}
	p.values[l.name()] = append(p.values[l.name()], x)
}

// outputs makes every collected value an output, in order.
func (p *tapped) outputs(graph *onnx.Graph) {
	for i, l := range p.products {
		for j, value := range p.values[l.name()] {
			graph.Output(fmt.Sprintf("%s%d_%d", tapPrefix, i, j), value)
		}
	}
}

// sort files a run's outputs, from the first tapped one on, under their
// products.
func (p *tapped) sort(outputs []ort.Tensor, into map[string][]ort.Tensor) {
	at := 0
	for _, l := range p.products {
		for range p.values[l.name()] {
			into[l.name()] = append(into[l.name()], outputs[at])
			at++
		}
	}
}
