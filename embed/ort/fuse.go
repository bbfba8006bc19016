//go:build cgo

package ort

import (
	"os"
	"unsafe"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"mekiki/embed/fused"
	"mekiki/embed/onnx"
)

// fused returns the options of the same graph with its products of 8-bit integers fused, where this machine can and
// something is gained. A graph that cannot be read is the runtime's to refuse.
func (r *Runtime) fused(options SessionOptions) SessionOptions {
	if options.NoFusion || options.Provider != "cpu" || options.NoOptimization || options.NoPrepack || options.OptimizedPath != "" || !fused.Available() {
		return options
	}
	model := options.Model
	if model == nil {
		about, err := os.Stat(options.Path)
		if err != nil || about.Size() > mostFused {
			return options
		}
		if model, err = os.ReadFile(options.Path); err != nil {
			return options
		}
	}
	rewritten, count, err := onnx.Fuse(model, options.FuseOptions)
	if err != nil || count == 0 {
		return options
	}
	options.Model, options.library = rewritten, r.path
	return options
}

// sessionOptions is the runtime's own value, which the bindings keep to themselves: the one field of theirs.
func sessionOptions(settings *onnxruntime.SessionOptions) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(settings))
}
