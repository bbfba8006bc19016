//go:build cgo

package ort

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"mekiki/internal/hint"
)

// environment is the bindings' state, of which a process has one. It is loaded
// while somebody uses it: a Runtime or a Session.
var environment struct {
	sync.Mutex
	path    string
	version string
	users   int
}

// Runtime is ONNX Runtime, loaded. Close it when no more sessions will be opened;
// sessions stay usable until they are closed themselves.
type Runtime struct {
	path, version, source string
	close                 sync.Once
	mutex                 sync.RWMutex
	closed                bool
}

// Open loads the library, installing it first when it is missing and options
// allow. It may be called several times: all Runtimes of a process share one
// library, so asking for a different file while one is loaded is ErrOtherLibrary.
//
// The library collects no telemetry: Open sets ORT_DISABLE_TELEMETRY to 1 in the
// environment of the process, and leaves it so, before it loads one.
func Open(ctx context.Context, options Options) (*Runtime, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	candidates, err := Find(options)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, candidate := range candidates {
		runtime, err := load(candidate)
		if err == nil {
			options.Logger.Debug("loaded ONNX Runtime", "path", candidate.Path, "version", runtime.version)
			return runtime, nil
		}
		if errors.Is(err, ErrOtherLibrary) || candidate.Source == "option" || candidate.Source == LibraryVariable {
			return nil, err
		}
		options.Logger.Debug("cannot use ONNX Runtime library", "path", candidate.Path, "error", err)
		problems = append(problems, err)
	}
	if !options.Install {
		return nil, notInstalled(problems)
	}
	path, err := Install(ctx, options)
	if err != nil {
		return nil, err
	}
	return load(Candidate{Path: path, Source: "cache"})
}

func notInstalled(problems []error) error {
	err := ErrNotInstalled
	if len(problems) > 0 {
		err = fmt.Errorf("%w: %w", ErrNotInstalled, errors.Join(problems...))
	}
	return hint.Wrap(err, "allow it to be installed, or set "+LibraryVariable+" to a library of version "+Version)
}

// load takes a share in the environment, initialising it for the first.
func load(candidate Candidate) (opened *Runtime, err error) {
	defer recovered(&err, "load "+candidate.Path)
	path, err := filepath.EvalSymlinks(candidate.Path)
	if err != nil {
		return nil, fmt.Errorf("load ONNX Runtime: %w", err)
	}
	environment.Lock()
	defer environment.Unlock()
	if environment.users > 0 && environment.path != path {
		return nil, fmt.Errorf("%w: %s, wanted %s", ErrOtherLibrary, environment.path, path)
	}
	if environment.users == 0 {
		if err := initialize(path); err != nil {
			return nil, err
		}
	}
	environment.users++
	return &Runtime{path: path, version: environment.version, source: candidate.Source}, nil
}

func initialize(path string) error {
	if err := disableTelemetry(); err != nil {
		return err
	}
	onnxruntime.SetSharedLibraryPath(path)
	if err := onnxruntime.InitializeEnvironment(onnxruntime.WithLogLevelError()); err != nil {
		if onnxruntime.IsInitialized() {
			_ = onnxruntime.DestroyEnvironment()
		}
		return hint.Wrap(fmt.Errorf("%w: %s: %w", ErrIncompatible, path, err),
			fmt.Sprintf("use release 1.%d or newer, built for this system and processor (%s is known to work)", APIVersion, Version))
	}
	disableEnvironmentTelemetry()
	environment.path = path
	environment.version = onnxruntime.GetVersion()
	return nil
}

// retain takes another share in an environment that is loaded already.
func retain() {
	environment.Lock()
	environment.users++
	environment.Unlock()
}

// releaseEnvironment gives a share back and unloads the library with the last one.
func releaseEnvironment() error {
	environment.Lock()
	defer environment.Unlock()
	environment.users--
	if environment.users > 0 {
		return nil
	}
	environment.path, environment.version = "", ""
	if err := onnxruntime.DestroyEnvironment(); err != nil {
		return fmt.Errorf("unload ONNX Runtime: %w", err)
	}
	return nil
}

// Version returns the loaded library's release, such as "1.30.0".
func (r *Runtime) Version() string { return r.version }

// LibraryPath returns the loaded library's file, links resolved.
func (r *Runtime) LibraryPath() string { return r.path }

// Source says how the library was found; see Candidate.
func (r *Runtime) Source() string { return r.source }

// Close gives up the Runtime. The library is unloaded when the last session is
// closed too. Closing twice is allowed.
func (r *Runtime) Close() error {
	var err error
	r.close.Do(func() {
		r.mutex.Lock()
		r.closed = true
		r.mutex.Unlock()
		err = releaseEnvironment()
	})
	return err
}

// recovered turns a panic of the bindings into an error.
func recovered(err *error, doing string) {
	if value := recover(); value != nil {
		*err = fmt.Errorf("%s: ONNX Runtime bindings failed: %v", doing, value)
	}
}
