package ort

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"mekiki/embed/onnx"
)

// SessionOptions says which graph to open and how to run it.
type SessionOptions struct {
	// Path is the .onnx file; its external data files lie beside it.
	Path string
	// Model, when not nil, is opened instead of the file at Path, beside which the data
	// files lie all the same. It may change afterwards.
	Model []byte
	// Inputs and Outputs are what the caller will give and read, in the order of
	// Run's slices: all inputs of the graph, and those outputs that are wanted.
	Inputs, Outputs []Value
	// Threads bounds the threads of one run; 0 means one per usable processor.
	Threads int
	// Spin lets the threads of a run wait for its next operator by spinning a moment, which
	// spares waking them hundreds of times. They stop at the end of the last run: an idle
	// session uses no processor. Off by default.
	Spin bool
	// Arena keeps freed memory for the next run, which is faster; the session holds
	// the largest run's memory until it is closed. Off by default.
	Arena bool
	// Provider is the execution provider: "cpu" (or ""), "cuda", "tensorrt",
	// "coreml", "directml", "openvino", or another name that the library knows.
	Provider string
	// ProviderOptions are handed to the provider.
	ProviderOptions map[string]string
	// NoPrepack keeps weights as they are in the file (mapped, shared between
	// sessions) instead of copying them into the kernels' layout: less memory,
	// slower products.
	NoPrepack bool
	// NoOptimization runs the graph as written.
	NoOptimization bool
	// OptimizedPath, when set, is where the optimised graph is kept: written at
	// the first opening and opened instead of Path later, as long as it is newer.
	// Only for graphs whose weights fit in one file of 2 GB.
	OptimizedPath string
	// Profile, when set, is the prefix of a JSON profile that is written when the
	// session closes.
	Profile string
	// NoFusion leaves products of 8-bit integers to the runtime's own operators.
	NoFusion bool
	// FuseOptions says what fused products and attention do without.
	FuseOptions onnx.FuseOptions

	library string // the runtime's file, where products are fused
}

func (o SessionOptions) withDefaults() SessionOptions {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	o.Provider = strings.ToLower(o.Provider)
	if o.Provider == "" {
		o.Provider = "cpu"
	}
	o.Inputs, o.Outputs = cloneValues(o.Inputs), cloneValues(o.Outputs)
	return o
}

// Validate reports everything that is wrong with the options.
func (o SessionOptions) Validate() error {
	var problems []error
	if o.Path == "" {
		problems = append(problems, errors.New("no model path"))
	}
	if len(o.Inputs) == 0 || len(o.Outputs) == 0 {
		problems = append(problems, errors.New("inputs and outputs must be named"))
	}
	if o.Threads < 0 || o.Threads > 1024 {
		problems = append(problems, fmt.Errorf("threads must be between 0 and 1024, not %d", o.Threads))
	}
	if o.Model != nil && (len(o.Model) == 0 || o.OptimizedPath != "") {
		problems = append(problems, errors.New("a model in memory must not be empty, nor be kept optimised"))
	}
	if strings.ContainsRune(o.Path+o.OptimizedPath+o.Profile, 0) {
		problems = append(problems, errors.New("a path contains a zero byte"))
	}
	return errors.Join(problems...)
}
