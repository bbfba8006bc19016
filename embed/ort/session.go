//go:build cgo

package ort

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"mekiki/embed/fused"
)

// Session is an opened graph. Its runs may be concurrent; they share its threads.
type Session struct {
	path            string
	inputs, outputs []Value

	mutex   sync.RWMutex // held for reading during runs
	session *onnxruntime.DynamicAdvancedSession
}

// Session opens a graph. That it has the inputs and outputs of the options shows
// when it is run. The caller must Close it.
func (r *Runtime) Session(ctx context.Context, options SessionOptions) (opened *Session, err error) {
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("open %s: %w", options.Path, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	if r.closed {
		return nil, fmt.Errorf("open %s: runtime %w", options.Path, ErrClosed)
	}
	defer recovered(&err, "open "+options.Path)
	session, err := newSession(r.fused(options))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", options.Path, err)
	}
	retain()
	return &Session{path: options.Path, inputs: options.Inputs, outputs: options.Outputs, session: session}, nil
}

func newSession(options SessionOptions) (*onnxruntime.DynamicAdvancedSession, error) {
	settings, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer settings.Destroy()
	path, err := configure(settings, options)
	if err != nil {
		return nil, err
	}
	names := func(values []Value) []string {
		list := make([]string, len(values))
		for i, value := range values {
			list[i] = value.Name
		}
		return list
	}
	var session *onnxruntime.DynamicAdvancedSession
	if options.Model != nil {
		session, err = onnxruntime.NewDynamicAdvancedSessionWithONNXData(options.Model, names(options.Inputs), names(options.Outputs), settings)
	} else {
		session, err = onnxruntime.NewDynamicAdvancedSession(path, names(options.Inputs), names(options.Outputs), settings)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	return session, nil
}

// slowOnProcessors are the runtime's rewritings, separated by semicolons, that
// cost time there. A layer norm joined with the sum before it takes eight times
// as long as the two one after the other (version 1.30).
const slowOnProcessors = "SkipLayerNormFusion"

// configure applies options and returns the path of the graph to open.
func configure(settings *onnxruntime.SessionOptions, options SessionOptions) (string, error) {
	flag := func(set bool) string {
		if set {
			return "1"
		}
		return "0"
	}
	path := options.Path
	level := onnxruntime.GraphOptimizationLevel(onnxruntime.GraphOptimizationLevelEnableAll)
	if options.NoOptimization {
		level = onnxruntime.GraphOptimizationLevelDisableAll
	}
	steps := []error{
		settings.SetIntraOpNumThreads(options.Threads),
		settings.SetInterOpNumThreads(1),
		settings.SetExecutionMode(onnxruntime.ExecutionModeSequential),
		settings.SetCpuMemArena(options.Arena),
		settings.SetMemPattern(options.Arena),
		settings.AddSessionConfigEntry("session.intra_op.allow_spinning", flag(options.Spin)),
		settings.AddSessionConfigEntry("session.intra_op.spin_duration_us", spinMicroseconds),
		settings.AddSessionConfigEntry("session.force_spinning_stop", "1"),
		settings.AddSessionConfigEntry("session.disable_prepacking", flag(options.NoPrepack)),
	}
	if options.Model != nil {
		steps = append(steps, settings.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", filepath.Dir(options.Path)))
	}
	if options.OptimizedPath != "" {
		if newer(options.OptimizedPath, options.Path) {
			path, level = options.OptimizedPath, onnxruntime.GraphOptimizationLevelDisableAll
		} else {
			steps = append(steps, settings.SetOptimizedModelFilePath(options.OptimizedPath))
		}
	}
	steps = append(steps, settings.SetGraphOptimizationLevel(level))
	if options.Provider == "cpu" {
		steps = append(steps, settings.AddSessionConfigEntry("optimization.disable_specified_optimizers", slowOnProcessors))
	}
	if options.Profile != "" {
		steps = append(steps, settings.EnableProfiling(options.Profile))
	}
	if err := errors.Join(steps...); err != nil {
		return "", err
	}
	if options.library != "" {
		if err := fused.Register(options.library, sessionOptions(settings)); err != nil {
			return "", err
		}
	}
	return path, appendProvider(settings, options.Provider, options.ProviderOptions)
}

func newer(path, than string) bool {
	first, err := os.Stat(path)
	if err != nil {
		return false
	}
	second, err := os.Stat(than)
	return err == nil && first.ModTime().After(second.ModTime())
}

// Path returns the graph's file.
func (s *Session) Path() string { return s.path }

// Inputs returns what Run takes, in order.
func (s *Session) Inputs() []Value { return cloneValues(s.inputs) }

// Outputs returns what Run gives, in order.
func (s *Session) Outputs() []Value { return cloneValues(s.outputs) }

// Run computes the outputs of the inputs, both in the order of SessionOptions.
// The outputs are new and belong to the caller. When ctx ends first, the run is
// stopped between operators and ctx's error returned.
func (s *Session) Run(ctx context.Context, inputs ...Tensor) ([]Tensor, error) {
	outputs := make([]Tensor, len(s.outputs))
	if err := s.RunInto(ctx, inputs, outputs); err != nil {
		return nil, err
	}
	return outputs, nil
}

// RunInto is Run with the outputs that are not the zero Tensor written in place,
// which spares a copy; the others are replaced by new tensors.
func (s *Session) RunInto(ctx context.Context, inputs, outputs []Tensor) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	if s.session == nil {
		return fmt.Errorf("run %s: session %w", s.path, ErrClosed)
	}
	defer recovered(&err, "run "+s.path)
	var pins runtime.Pinner
	defer pins.Unpin()
	given, err := wrapAll(&pins, s.inputs, inputs, false)
	defer destroyAll(given)
	if err != nil {
		return fmt.Errorf("run %s: %w", s.path, err)
	}
	taken, err := wrapAll(&pins, s.outputs, outputs, true)
	defer func() { destroyAll(taken) }()
	if err != nil {
		return fmt.Errorf("run %s: %w", s.path, err)
	}
	if err := s.run(ctx, given, taken); err != nil {
		return err
	}
	for i := range outputs {
		if outputs[i].kind != 0 {
			continue
		}
		if outputs[i], err = unwrap(taken[i]); err != nil {
			return fmt.Errorf("run %s: output %s: %w", s.path, s.outputs[i].Name, err)
		}
	}
	return nil
}

// run runs the session so that the end of ctx terminates it.
func (s *Session) run(ctx context.Context, inputs, outputs []onnxruntime.Value) error {
	if ctx.Done() == nil {
		return s.wrap(s.session.RunWithOptions(inputs, outputs, nil))
	}
	options, err := onnxruntime.NewRunOptions()
	if err != nil {
		return s.wrap(err)
	}
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(terminated)
		_ = options.Terminate()
	})
	err = s.session.RunWithOptions(inputs, outputs, options)
	if !stop() {
		<-terminated
	}
	_ = options.Destroy()
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return s.wrap(err)
}

func (s *Session) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("run %s: %w", s.path, err)
}

// Close waits for the runs in flight and frees the session. Closing twice is
// allowed.
func (s *Session) Close() (err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.session == nil {
		return nil
	}
	defer recovered(&err, "close "+s.path)
	session := s.session
	s.session = nil
	return errors.Join(session.Destroy(), releaseEnvironment())
}
