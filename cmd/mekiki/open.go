package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/models"
	"mekiki/embed/ort"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// openRuntime finds ONNX Runtime, installing it on first use, with progress.
func (a *app) openRuntime(ctx context.Context) (*ort.Runtime, error) {
	options, err := a.runtimeOptions()
	if err != nil {
		return nil, err
	}
	reporter := a.progress()
	defer reporter.Finish()
	options.Install = true
	options.Progress = func(state ort.Progress) { reporter.Report(installState(state)) }
	return ort.Open(ctx, options)
}

func (a *app) runtimeOptions() (ort.Options, error) {
	cache, err := a.cacheFolder()
	if err != nil {
		return ort.Options{}, err
	}
	return ort.Options{LibraryPath: a.runtime, CacheDir: filepath.Join(cache, "runtime"), Logger: a.log()}, nil
}

func installState(state ort.Progress) progress.State {
	words := map[ort.Stage]string{
		ort.StageWait:     "wait for another process to install ONNX Runtime",
		ort.StageDownload: "download ONNX Runtime " + ort.Version,
		ort.StageExtract:  "install ONNX Runtime " + ort.Version,
	}
	return progress.State{Task: words[state.Stage], Done: state.Done, Total: state.Total, Unit: progress.Bytes, Detail: state.Source}
}

func (a *app) modelOptions(runtime *ort.Runtime, reporter *progress.Reporter) (models.Options, error) {
	cache, err := a.cacheFolder()
	if err != nil {
		return models.Options{}, err
	}
	precision := blip2.Precision(a.precision)
	if precision != blip2.Int8 && precision != blip2.Float32 {
		return models.Options{}, usage("--precision %q: it is %s or %s", a.precision, blip2.Int8, blip2.Float32)
	}
	return models.Options{
		Dir:       filepath.Join(cache, "models"),
		Precision: precision,
		Runtime:   runtime,
		Threads:   a.threads,
		Logger:    a.log(),
		Progress: func(step blip2.Step) {
			reporter.Report(progress.State{Task: "compile the model", Done: int64(step.Done), Total: int64(step.Total), Unit: progress.Steps, Detail: step.Doing})
		},
		Waiting: func() {
			reporter.Report(progress.State{Task: "wait for another process to compile the model", Unit: progress.Steps})
		},
	}, nil
}

// session is an open model. Close it when done.
type session struct {
	*embed.Engine
	name    string
	runtime *ort.Runtime
}

// Close gives the model and the runtime back.
func (s *session) Close() error {
	return errors.Join(s.Engine.Close(), s.runtime.Close())
}

// openEngine opens the model that --model names, compiling the built-in one on
// first use.
func (a *app) openEngine(ctx context.Context) (*session, error) {
	runtime, err := a.openRuntime(ctx)
	if err != nil {
		return nil, explainCache(err)
	}
	opened, err := a.openEngineWith(ctx, runtime)
	if err != nil {
		return nil, explainCache(errors.Join(err, runtime.Close()))
	}
	return opened, nil
}

// explainCache adds the remedy to an error that says that the cache folder
// cannot be written to.
func explainCache(err error) error {
	unwritable := errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EROFS)
	if !unwritable || hint.Of(err) != "" {
		return err
	}
	return hint.Wrap(err, "choose a cache folder that you can write to with --cache")
}

func (a *app) openEngineWith(ctx context.Context, runtime *ort.Runtime) (*session, error) {
	reporter := a.progress()
	defer reporter.Finish()
	options, err := a.modelOptions(runtime, reporter)
	if err != nil {
		return nil, err
	}
	model, err := findModel(ctx, a.model, options)
	if err != nil {
		return nil, err
	}
	if made := model.Manifest.Precision; a.precisionGiven() && made != options.Precision {
		return nil, hint.Wrap(usage("model %s was compiled in %s, not %s", model.Name, made, options.Precision),
			fmt.Sprintf("leave --precision out, or import its checkpoint again with --precision %s --name %s-%s", options.Precision, model.Name, options.Precision))
	}
	if a.threads < 0 {
		return nil, usage("--threads %d is negative: give 0 for one per core", a.threads)
	}
	opening := embed.Options{ModelDir: model.Dir, Runtime: runtime, Threads: a.threads, Provider: a.provider, Logger: a.log()}
	if a.cleanTexts {
		opening.CleanTexts, opening.MaximumTokens = true, lavisTokens
	}
	engine, err := embed.Open(ctx, opening)
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", model.Name, err)
	}
	return &session{Engine: engine, name: model.Name, runtime: runtime}, nil
}

func findModel(ctx context.Context, name string, options models.Options) (models.Model, error) {
	if name == models.BuiltinName {
		return models.Builtin(ctx, options)
	}
	return models.Find(name, options)
}

// openLibrary opens the library that --library names.
func (a *app) openLibrary(ctx context.Context, readOnly bool) (*local.Library, error) {
	return a.openLibraryWith(ctx, local.Options{ReadOnly: readOnly})
}

// openWithoutVectors opens the library for a verb that does not search it: its
// vectors are not loaded.
func (a *app) openWithoutVectors(ctx context.Context, readOnly bool) (*local.Library, error) {
	return a.openLibraryWith(ctx, local.Options{ReadOnly: readOnly, DeferVectors: true})
}

func (a *app) openLibraryWith(ctx context.Context, options local.Options) (*local.Library, error) {
	folder, err := a.libraryFolder()
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return nil, hint.Wrap(fmt.Errorf("open library %s: it is a file and no folder", folder), "name a folder with --library")
	}
	options.Logger = a.log()
	library, err := local.Open(ctx, folder, options)
	switch {
	case errors.Is(err, index.ErrNotLibrary) && !strings.Contains(err.Error(), folder):
		return nil, fmt.Errorf("open library %s: %w", folder, err)
	case errors.Is(err, index.ErrLocked):
		return nil, hint.Wrap(err, "wait for it, or stop it; searching works meanwhile")
	}
	return library, err
}

// withExistingLibrary opens the library, which must be there, for a verb that does not
// search it, calls do and closes it.
func (a *app) withExistingLibrary(ctx context.Context, readOnly bool, do func(*local.Library) error) error {
	if err := a.requireLibrary(); err != nil {
		return err
	}
	return a.withOrCreateLibrary(ctx, readOnly, do)
}

// requireLibrary fails where nothing is: a verb that changes a library makes none
// of a mistyped name.
func (a *app) requireLibrary() error {
	folder, err := a.libraryFolder()
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(folder); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return hint.Wrap(fmt.Errorf("open library %s: %w", folder, index.ErrNotLibrary),
			"name the library's folder with --library, or make a library with: mekiki index FOLDER")
	}
	return nil
}

// withOrCreateLibrary is withExistingLibrary, but makes the library that is not there.
func (a *app) withOrCreateLibrary(ctx context.Context, readOnly bool, do func(*local.Library) error) (err error) {
	library, err := a.openWithoutVectors(ctx, readOnly)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, library.Close()) }()
	return do(library)
}

// withModel is withOrCreateLibrary for writing, with the model.
func (a *app) withModel(ctx context.Context, do func(library *local.Library, engine *session) error) error {
	return a.withOrCreateLibrary(ctx, false, func(library *local.Library) (err error) {
		engine, err := a.openEngine(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, engine.Close()) }()
		return do(library, engine)
	})
}

// newSearcher makes the searcher over a library and a model, with the model's own
// calibration where it has one.
func (a *app) newSearcher(library *local.Library, engine *session) (*search.Searcher, error) {
	options := search.Options{Logger: a.log(), TokenCacheBytes: a.tokenCache, Decoder: library.Decoder()}
	if data := engine.Manifest().Calibration; len(data) > 0 {
		calibration, err := search.ParseCalibration(data)
		if err != nil {
			return nil, fmt.Errorf("model %s: %w", engine.name, err)
		}
		options.Calibration = &calibration
	}
	return search.New(search.FromIndex(library), engine.Engine, options)
}
