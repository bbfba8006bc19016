package ort_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mekiki/embed/onnx"
	"mekiki/embed/ort"
	"mekiki/embed/ort/orttest"
	"mekiki/internal/hint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func scaleOptions(path string) ort.SessionOptions {
	return ort.SessionOptions{
		Path:    path,
		Inputs:  []ort.Value{{Name: "x", Type: ort.Float32, Shape: []int64{-1, 3}}},
		Outputs: []ort.Value{{Name: "y", Type: ort.Float32, Shape: []int64{-1, 3}}},
		Threads: 1,
	}
}

// writeScale writes a graph that gives y = scale * x, its factors in the file or
// beside it.
func writeScale(t testing.TB, dir string, external bool) string {
	t.Helper()
	factors := []float32{2, 3, 4}
	tensor := onnx.Float32Tensor(factors, 3)
	if external {
		data, err := onnx.CreateDataFile(dir, "weights.bin")
		if err != nil {
			t.Fatal(err)
		}
		if tensor, err = data.AppendFloat32(factors, 3); err != nil {
			t.Fatal(err)
		}
		if _, err := data.Close(); err != nil {
			t.Fatal(err)
		}
	}
	graph := onnx.NewGraph("scale")
	x := graph.Input("x", onnx.Float32, onnx.Dynamic("rows"), onnx.Fixed(3))
	graph.Output("y", graph.Multiply(x, graph.Constant("factors", tensor)))
	if err := graph.Write(dir, "scale.onnx"); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "scale.onnx")
}

func openSession(t testing.TB, runtime *ort.Runtime, options ort.SessionOptions) *ort.Session {
	t.Helper()
	session, err := runtime.Session(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return session
}

func TestRun(t *testing.T) {
	runtime := orttest.Open(t)
	for name, external := range map[string]bool{"weights inside": false, "weights beside": true} {
		t.Run(name, func(t *testing.T) {
			session := openSession(t, runtime, scaleOptions(writeScale(t, t.TempDir(), external)))
			outputs, err := session.Run(t.Context(), ort.Float32Tensor([]float32{1, 1, 1, 10, 20, 30}, 2, 3))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]float32{2, 3, 4, 20, 60, 120}, outputs[0].Float32()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]int64{2, 3}, outputs[0].Shape()); diff != "" {
				t.Error(diff)
			}
			place := make([]float32, 3)
			err = session.RunInto(t.Context(), []ort.Tensor{ort.Float32Tensor([]float32{-1, 0, 1}, 1, 3)},
				[]ort.Tensor{ort.Float32Tensor(place, 1, 3)})
			if diff := cmp.Diff([]float32{-2, 0, 4}, place); err != nil || diff != "" {
				t.Errorf("RunInto: %v\n%s", err, diff)
			}
			empty, err := session.Run(t.Context(), ort.Float32Tensor(nil, 0, 3))
			if err != nil || len(empty[0].Float32()) != 0 {
				t.Errorf("Run of no rows: %v, %v", empty, err)
			}
		})
	}
}

func TestRunRefusesOtherTensors(t *testing.T) {
	session := openSession(t, orttest.Open(t), scaleOptions(writeScale(t, t.TempDir(), false)))
	tests := map[string][]ort.Tensor{
		"none":             nil,
		"two":              {ort.Float32Tensor(make([]float32, 3), 1, 3), ort.Float32Tensor(make([]float32, 3), 1, 3)},
		"zero tensor":      {{}},
		"another type":     {ort.Int64Tensor(make([]int64, 3), 1, 3)},
		"another rank":     {ort.Float32Tensor(make([]float32, 3), 3)},
		"another size":     {ort.Float32Tensor(make([]float32, 4), 1, 4)},
		"too few values":   {ort.Float32Tensor(make([]float32, 5), 2, 3)},
		"negative size":    {ort.Float32Tensor(nil, -1, 3)},
		"overflowing size": {ort.Float32Tensor(nil, 1<<62, 3)},
	}
	for name, inputs := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := session.Run(t.Context(), inputs...); err == nil {
				t.Error("Run accepted it")
			}
		})
	}
	err := session.RunInto(t.Context(), []ort.Tensor{ort.Float32Tensor(make([]float32, 3), 1, 3)},
		[]ort.Tensor{ort.Float32Tensor(make([]float32, 6), 2, 3)})
	if err == nil {
		t.Error("RunInto accepted an output of another size")
	}
}

// TestSessionOfAnotherGraph wants what the options say wrongly of a graph to be an error, when it is opened or run.
func TestSessionOfAnotherGraph(t *testing.T) {
	runtime := orttest.Open(t)
	path := writeScale(t, t.TempDir(), false)
	one := ort.Float32Tensor(make([]float32, 3), 1, 3)
	tests := map[string]struct {
		change func(*ort.SessionOptions)
		inputs []ort.Tensor
	}{
		"input name":       {func(o *ort.SessionOptions) { o.Inputs[0].Name = "z" }, []ort.Tensor{one}},
		"input type":       {func(o *ort.SessionOptions) { o.Inputs[0].Type = ort.Int64 }, []ort.Tensor{ort.Int64Tensor(make([]int64, 3), 1, 3)}},
		"input size":       {func(o *ort.SessionOptions) { o.Inputs[0].Shape = []int64{-1, 4} }, []ort.Tensor{ort.Float32Tensor(make([]float32, 4), 1, 4)}},
		"input rank":       {func(o *ort.SessionOptions) { o.Inputs[0].Shape = []int64{-1} }, []ort.Tensor{ort.Float32Tensor(make([]float32, 3), 3)}},
		"one input more":   {func(o *ort.SessionOptions) { o.Inputs = append(o.Inputs, o.Outputs[0]) }, []ort.Tensor{one, one}},
		"output name":      {func(o *ort.SessionOptions) { o.Outputs[0].Name = "z" }, []ort.Tensor{one}},
		"no outputs":       {func(o *ort.SessionOptions) { o.Outputs = nil }, []ort.Tensor{one}},
		"no path":          {func(o *ort.SessionOptions) { o.Path = "" }, []ort.Tensor{one}},
		"negative threads": {func(o *ort.SessionOptions) { o.Threads = -1 }, []ort.Tensor{one}},
		"no file":          {func(o *ort.SessionOptions) { o.Path += "-not" }, []ort.Tensor{one}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			options := scaleOptions(path)
			test.change(&options)
			session, err := runtime.Session(t.Context(), options)
			if err != nil {
				return
			}
			defer session.Close()
			if outputs, err := session.Run(t.Context(), test.inputs...); err == nil {
				t.Errorf("ran, and gave %v", outputs)
			}
		})
	}
	damaged := filepath.Join(t.TempDir(), "damaged.onnx")
	if err := os.WriteFile(damaged, []byte("\x08\x0a\x3a\xff"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.Session(t.Context(), scaleOptions(damaged)); !errors.Is(err, ort.ErrModel) {
		t.Errorf("a damaged file: %v, want ErrModel", err)
	}
	place := []ort.Tensor{ort.Float32Tensor(make([]float32, 6), 1, 6)}
	wide := scaleOptions(path)
	wide.Outputs[0].Shape = []int64{-1, 6}
	if err := openSession(t, runtime, wide).RunInto(t.Context(), []ort.Tensor{one}, place); err == nil {
		t.Error("an output larger than the graph's was filled")
	}
	small := []ort.Tensor{ort.Float32Tensor(make([]float32, 2), 1, 2)}
	wide.Outputs[0].Shape = []int64{-1, 2}
	if err := openSession(t, runtime, wide).RunInto(t.Context(), []ort.Tensor{one}, small); err == nil {
		t.Error("an output smaller than the graph's was written to")
	}
}

func TestProviders(t *testing.T) {
	runtime := orttest.Open(t)
	options := scaleOptions(writeScale(t, t.TempDir(), false))
	options.Provider = "CPU"
	openSession(t, runtime, options)
	for name, needs := range map[string]string{"cuda": "an NVIDIA GPU", "tensorrt": "TensorRT", "coreml": "macOS", "directml": "Windows",
		"openvino": "the OpenVINO libraries", "no-such-provider": "a provider of this name"} {
		options.Provider = name
		session, err := runtime.Session(t.Context(), options)
		if err == nil { // this machine has it
			_ = session.Close()
			continue
		}
		if !errors.Is(err, ort.ErrProvider) || hint.Of(err) == "" {
			t.Errorf("provider %s: %v", name, err)
		}
		if goruntime.GOOS == "linux" && !strings.Contains(err.Error(), needs) {
			t.Errorf("provider %s: %v does not say %q", name, err, needs)
		}
		if remedy := hint.Of(err); !strings.Contains(remedy, "leave --provider out") {
			t.Errorf("provider %s: the remedy is %q", name, remedy)
		}
	}
}

func TestOptimizedPath(t *testing.T) {
	runtime := orttest.Open(t)
	dir := t.TempDir()
	options := scaleOptions(writeScale(t, dir, false))
	options.OptimizedPath = filepath.Join(dir, "optimised.onnx")
	for _, opening := range []string{"first", "second"} {
		session := openSession(t, runtime, options)
		outputs, err := session.Run(t.Context(), ort.Float32Tensor([]float32{1, 2, 3}, 1, 3))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]float32{2, 6, 12}, outputs[0].Float32()); diff != "" {
			t.Errorf("%s opening: %s", opening, diff)
		}
		if info, err := os.Stat(options.OptimizedPath); err != nil || info.Size() == 0 {
			t.Errorf("%s opening left %v, %v", opening, info, err)
		}
	}
}

// writeSlow writes a graph that multiplies a square matrix many times.
func writeSlow(t testing.TB, dir string) string {
	t.Helper()
	const side, times = 512, 200
	graph := onnx.NewGraph("slow")
	x := graph.Input("x", onnx.Float32, onnx.Fixed(side), onnx.Fixed(side))
	value := x
	for range times {
		value = graph.MatMul(value, x)
	}
	graph.Output("y", value)
	if err := graph.Write(dir, "slow.onnx"); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "slow.onnx")
}

func TestRunStopsWithItsContext(t *testing.T) {
	square := []ort.Value{{Name: "x", Type: ort.Float32, Shape: []int64{512, 512}}}
	session := openSession(t, orttest.Open(t), ort.SessionOptions{
		Path: writeSlow(t, t.TempDir()), Threads: 1, Inputs: square,
		Outputs: []ort.Value{{Name: "y", Type: ort.Float32, Shape: []int64{512, 512}}},
	})
	input := ort.Float32Tensor(make([]float32, 512*512), 512, 512)
	started := time.Now()
	if _, err := session.Run(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(started)
	ctx, cancel := context.WithTimeout(t.Context(), whole/10)
	defer cancel()
	started = time.Now()
	_, err := session.Run(ctx, input)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Run: %v after %v of %v, want the deadline", err, time.Since(started), whole)
	}
	done, cancelDone := context.WithCancel(t.Context())
	cancelDone()
	if _, err := session.Run(done, input); !errors.Is(err, context.Canceled) {
		t.Errorf("Run with an ended context: %v", err)
	}
	if _, err := session.Run(t.Context(), input); err != nil {
		t.Errorf("Run after a stopped one: %v", err)
	}
}

func TestConcurrentRuns(t *testing.T) {
	session := openSession(t, orttest.Open(t), scaleOptions(writeScale(t, t.TempDir(), true)))
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				x := float32(worker*1000 + i)
				outputs, err := session.Run(t.Context(), ort.Float32Tensor([]float32{x, x, x}, 1, 3))
				if err != nil {
					t.Error(err)
					return
				}
				if got := outputs[0].Float32(); got[0] != 2*x || got[1] != 3*x || got[2] != 4*x {
					t.Errorf("%g gave %v", x, got)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestClosing(t *testing.T) {
	runtime, err := ort.Open(t.Context(), ort.Options{LibraryPath: orttest.Open(t).LibraryPath()})
	if err != nil {
		t.Fatal(err)
	}
	options := scaleOptions(writeScale(t, t.TempDir(), false))
	session, err := runtime.Session(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(runtime.Close(), runtime.Close()); err != nil {
		t.Errorf("closing the runtime twice: %v", err)
	}
	if _, err := runtime.Session(t.Context(), options); !errors.Is(err, ort.ErrClosed) {
		t.Errorf("Session of a closed runtime: %v", err)
	}
	input := ort.Float32Tensor(make([]float32, 3), 1, 3)
	if _, err := session.Run(t.Context(), input); err != nil {
		t.Errorf("Run after the runtime was closed: %v", err)
	}
	if err := errors.Join(session.Close(), session.Close()); err != nil {
		t.Errorf("closing the session twice: %v", err)
	}
	if _, err := session.Run(t.Context(), input); !errors.Is(err, ort.ErrClosed) {
		t.Errorf("Run of a closed session: %v", err)
	}
}

func TestOpenShares(t *testing.T) {
	first := orttest.Open(t)
	if first.Version() == "" || first.LibraryPath() == "" || first.Source() == "" {
		t.Errorf("runtime %s from %s by %s", first.Version(), first.LibraryPath(), first.Source())
	}
	second, err := ort.Open(t.Context(), ort.Options{LibraryPath: first.LibraryPath()})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	other := filepath.Join(t.TempDir(), "libother.so")
	if err := os.WriteFile(other, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ort.Open(t.Context(), ort.Options{LibraryPath: other}); !errors.Is(err, ort.ErrOtherLibrary) {
		t.Errorf("Open of another library: %v, want ErrOtherLibrary", err)
	}
}

func TestOpenRefusesWhatIsNoLibrary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(path, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := ort.Open(t.Context(), ort.Options{LibraryPath: path})
	if errors.Is(err, ort.ErrNoCgo) {
		t.Skip(err)
	}
	if !errors.Is(err, ort.ErrIncompatible) || hint.Of(err) == "" {
		t.Errorf("Open: %v, want ErrIncompatible with a hint", err)
	}
	t.Setenv("PATH", t.TempDir())
	t.Setenv(ort.LibraryVariable, "")
	found, err := ort.Open(t.Context(), ort.Options{CacheDir: t.TempDir()})
	if err == nil { // this machine has one of its own
		_ = found.Close()
		return
	}
	if !errors.Is(err, ort.ErrNotInstalled) || hint.Of(err) == "" {
		t.Errorf("Open with nothing installed: %v", err)
	}
}

func BenchmarkRun(b *testing.B) {
	session := openSession(b, orttest.Open(b), scaleOptions(writeScale(b, b.TempDir(), false)))
	input := []ort.Tensor{ort.Float32Tensor(make([]float32, 3), 1, 3)}
	output := []ort.Tensor{ort.Float32Tensor(make([]float32, 3), 1, 3)}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if err := session.RunInto(ctx, input, output); err != nil {
			b.Fatal(err)
		}
	}
}
