package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"mekiki/embed"
	"mekiki/embed/blip2"
	"mekiki/embed/manifest"
	"mekiki/embed/marian"
	"mekiki/embed/models"
	"mekiki/embed/ort"
	"mekiki/embed/priority"
	"mekiki/embed/runner"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/vector"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search"
	"mekiki/search/ask"
	"mekiki/search/duplicates"
	"mekiki/search/translation"
	"mekiki/server/handover"
)

// OpenRuntime finds ONNX Runtime, installing it on first use, with progress.
func (a *App) OpenRuntime(ctx context.Context) (*ort.Runtime, error) {
	options, err := a.RuntimeOptions()
	if err != nil {
		return nil, err
	}
	reporter := a.Progress()
	defer reporter.Finish()
	options.Install = true
	options.Progress = func(state ort.Progress) { reporter.Report(installState(state)) }
	return ort.Open(ctx, options)
}

// RuntimeOptions says where ONNX Runtime is looked for and installed.
func (a *App) RuntimeOptions() (ort.Options, error) {
	cache, err := a.CacheFolder()
	if err != nil {
		return ort.Options{}, err
	}
	return ort.Options{LibraryPath: a.Runtime, CacheDir: filepath.Join(cache, "runtime"), Logger: a.Log()}, nil
}

func installState(state ort.Progress) progress.State {
	words := map[ort.Stage]string{
		ort.StageWait:     "wait for another process to install ONNX Runtime",
		ort.StageDownload: "download ONNX Runtime " + ort.Version,
		ort.StageExtract:  "install ONNX Runtime " + ort.Version,
	}
	return progress.State{Task: words[state.Stage], Done: state.Done, Total: state.Total, Unit: progress.Bytes, Detail: state.Source}
}

// ModelOptions says where compiled models are and how one is compiled, with progress. runtime may be nil where nothing is compiled.
func (a *App) ModelOptions(runtime *ort.Runtime, reporter *progress.Reporter) (models.Options, error) {
	cache, err := a.CacheFolder()
	if err != nil {
		return models.Options{}, err
	}
	precision := manifest.Precision(a.Precision)
	if !precision.Suits(true) && !precision.Suits(false) {
		return models.Options{}, UsageError("--precision %q: must be %s, %s, %s or %s", a.Precision, manifest.Int4, manifest.Int8, manifest.Half, manifest.Float32)
	}
	return models.Options{
		Dir:       filepath.Join(cache, "models"),
		Precision: precision,
		Fast:      a.Fast,
		Runtime:   runtime,
		Threads:   a.Threads,
		Logger:    a.Log(),
		Sums:      a.sharedSums(),
		Progress: func(step blip2.Step) {
			reporter.Report(progress.State{Task: "compile the model", Done: int64(step.Done), Total: int64(step.Total), Unit: progress.Steps, Detail: step.Doing})
		},
		Waiting: func() {
			reporter.Report(progress.State{Task: "wait for another process to compile the model", Unit: progress.Steps})
		},
	}, nil
}

// Families are the architectures that this program runs.
func Families() []manifest.Family { return []manifest.Family{blip2.Family(), marian.Family()} }

// Session is an open model. Close it when done.
type Session struct {
	*embed.Engine
	Name    string
	Runtime *ort.Runtime

	interpreter *translation.Interpreter // nil until a searcher is made
	retired     bool
}

// Retire gives the model back, and nothing else: another one goes on with the runtime and the translators. Close gives those back.
func (s *Session) Retire() error {
	if s.retired {
		return nil
	}
	s.retired = true
	return s.Engine.Close()
}

// Close gives the model, its translators and the runtime back.
func (s *Session) Close() error {
	var err error
	if s.interpreter != nil {
		err = s.interpreter.Close()
	}
	return errors.Join(err, s.Retire(), s.Runtime.Close())
}

// Interpreter is what translates the queries of the searchers made over the model; nil before there is one.
func (s *Session) Interpreter() *translation.Interpreter { return s.interpreter }

// OpenEngine opens the model that --model names, compiling the built-in one on
// first use.
func (a *App) OpenEngine(ctx context.Context) (*Session, error) {
	runtime, err := a.OpenRuntime(ctx)
	if err != nil {
		return nil, explainCache(err)
	}
	opened, err := a.OpenEngineWith(ctx, runtime)
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

// OpenEngineWith is OpenEngine with a runtime that is open already, and that the session closes.
func (a *App) OpenEngineWith(ctx context.Context, runtime *ort.Runtime) (*Session, error) {
	reporter := a.Progress()
	defer reporter.Finish()
	options, err := a.ModelOptions(runtime, reporter)
	if err != nil {
		return nil, err
	}
	model, err := FindModel(ctx, a.Model, options)
	if err != nil {
		return nil, err
	}
	return a.openModel(ctx, runtime, options, model)
}

// ErrNoModel: there is no compiled model with a fingerprint.
var ErrNoModel = errors.New("there is no such model on this machine")

// OpenFingerprint opens the compiled model that has a fingerprint, with the runtime and the translators of another session, for a
// server that changes models: it is to be given back by [Session.Retire].
func (a *App) OpenFingerprint(ctx context.Context, from *Session, fingerprint string) (*Session, error) {
	options, err := a.ModelOptions(from.Runtime, progress.New(a.Stderr, progress.Quiet))
	if err != nil {
		return nil, err
	}
	all, err := models.List(options)
	if err != nil {
		return nil, err
	}
	// The same weights may have been compiled by several versions: the session's own goes first.
	if own := slices.IndexFunc(all, func(model models.Model) bool { return model.Name == from.Name }); own > 0 {
		all[0], all[own] = all[own], all[0]
	}
	for _, model := range all {
		if model.Problem == nil && model.Manifest.Fingerprint == fingerprint {
			options.Precision, options.Fast = model.Manifest.Precision, model.Manifest.Fast()
			session, err := a.openModel(ctx, from.Runtime, options, model)
			if err == nil {
				session.interpreter = from.interpreter
			}
			return session, err
		}
	}
	return nil, ErrNoModel
}

func (a *App) openModel(ctx context.Context, runtime *ort.Runtime, options models.Options, model models.Model) (*Session, error) {
	if made := model.Manifest.Precision; a.PrecisionGiven() && made != options.Precision {
		return nil, hint.Wrap(UsageError("model %s was compiled in %s, not %s", model.Name, made, options.Precision),
			fmt.Sprintf("leave --precision out, or import its checkpoint again with --precision %s --name %s-%s", options.Precision, model.Name, options.Precision))
	}
	if a.FastGiven() && model.Manifest.Fast() != options.Fast {
		return nil, fastMismatch(model)
	}
	if a.Threads < 0 {
		return nil, UsageError("--threads %d is negative: give 0 for one per core", a.Threads)
	}
	opening := runner.Options{ModelDir: model.Dir, Families: Families(), Runtime: runtime, Threads: a.Threads, Provider: a.Provider, Turns: a.sharedTurns(), Logger: a.Log()}
	if a.CleanTexts {
		opening.CleanTexts, opening.MaximumTokens = true, lavisTokens
	}
	engine, err := embed.Open(ctx, opening)
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", model.Name, err)
	}
	return &Session{Engine: engine, Name: model.Name, Runtime: runtime}, nil
}

// fastMismatch says that a model was compiled with --fast and is to be used without, or the other way round.
func fastMismatch(model models.Model) error {
	if model.Manifest.Fast() {
		return hint.Wrap(UsageError("model %s was compiled with --fast", model.Name),
			fmt.Sprintf("leave --fast out, or import its checkpoint again without it and with --name %s-exact", model.Name))
	}
	return hint.Wrap(UsageError("model %s was compiled without --fast", model.Name),
		fmt.Sprintf("leave --fast out, or import its checkpoint again with --fast --name %s-fast", model.Name))
}

// sharedTurns are those of the models of both stages, so that searches go before answers.
func (a *App) sharedTurns() *priority.Turns {
	if a.turns == nil {
		a.turns = new(priority.Turns)
	}
	return a.turns
}

// sharedSums are the hashes of checkpoints inside the program, of which both stages' models are made.
func (a *App) sharedSums() *models.Sums {
	if a.sums == nil {
		a.sums = new(models.Sums)
	}
	return a.sums
}

// BuiltinChecksum is [models.BuiltinChecksum], computed once.
func (a *App) BuiltinChecksum(ctx context.Context) (string, error) {
	return models.BuiltinChecksum(ctx, a.sharedSums())
}

// FindModel finds a compiled model by name or folder; the built-in one is compiled on first use.
func FindModel(ctx context.Context, name string, options models.Options) (models.Model, error) {
	if name == models.BuiltinName {
		return models.Builtin(ctx, options)
	}
	return models.Find(name, options)
}

// OpenLibrary opens the library that --library names.
func (a *App) OpenLibrary(ctx context.Context, readOnly bool) (*local.Library, error) {
	return a.openLibraryWith(ctx, local.Options{ReadOnly: readOnly})
}

// openWithoutVectors opens the library for a verb that does not search it: its
// vectors are not loaded.
func (a *App) openWithoutVectors(ctx context.Context, readOnly bool) (*local.Library, error) {
	return a.openLibraryWith(ctx, local.Options{ReadOnly: readOnly, DeferVectors: true})
}

func (a *App) openLibraryWith(ctx context.Context, options local.Options) (*local.Library, error) {
	if a.Cluster != "" {
		return nil, errNotOnCluster
	}
	folder, err := a.LibraryFolder()
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return nil, hint.Wrap(fmt.Errorf("open library %s: it is a file, not a folder", folder), "name a folder with --library")
	}
	options.Logger = a.Log()
	if options.Method, err = a.annMethod(); err != nil {
		return nil, err
	}
	library, err := local.Open(ctx, folder, options)
	switch {
	case errors.Is(err, index.ErrNotLibrary) && !strings.Contains(err.Error(), folder):
		return nil, fmt.Errorf("open library %s: %w", folder, err)
	case errors.Is(err, index.ErrLocked):
		remedy := "wait for that process, or stop it and run this again; you can search meanwhile"
		if server, findErr := handover.Find(folder); findErr == nil {
			remedy = fmt.Sprintf("stop the server at %s (process %d) and run this again; you can search meanwhile", server.Address, server.PID)
		}
		return nil, hint.Wrap(err, remedy)
	}
	return library, err
}

// annMethod is the method that --ann names. It warns of one that misses much.
func (a *App) annMethod() (vector.Method, error) {
	method := vector.Method(cmp.Or(a.Ann, string(vector.Automatic)))
	if err := (vector.Options{Width: 1, Method: method}).Validate(); err != nil {
		return "", hint.Wrap(UsageError("--ann %s: it is none of auto, exact, hnsw, ivf and, except on Windows, coder", a.Ann), "leave out --ann: auto finds nearly all, fast")
	}
	if method == vector.Coder && !a.Quiet {
		fmt.Fprintln(a.Stderr, CoderRecall)
	}
	return method, nil
}

// CoderRecall says what the method coder was measured to find, see
// docs/measurements/vectors.md.
const CoderRecall = "github.com/coder/hnsw v0.6.1 misses many: of the ten of 10,000 drawn pictures nearest to a text it found 15 %, where hnsw found 99 %"

// WithExistingLibrary opens the library, which must be there, for a verb that does not
// search it, calls do and closes it.
func (a *App) WithExistingLibrary(ctx context.Context, readOnly bool, do func(*local.Library) error) error {
	if err := a.requireLibrary(); err != nil {
		return err
	}
	return a.withOrCreateLibrary(ctx, readOnly, do)
}

// requireLibrary fails where nothing is: a verb that changes a library makes none
// of a mistyped name.
func (a *App) requireLibrary() error {
	if a.Cluster != "" {
		return errNotOnCluster
	}
	folder, err := a.LibraryFolder()
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
func (a *App) withOrCreateLibrary(ctx context.Context, readOnly bool, do func(*local.Library) error) (err error) {
	library, err := a.openWithoutVectors(ctx, readOnly)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, library.Close()) }()
	return do(library)
}

// WithModel opens the library for writing, which is made where it is on a disk and not there, and the
// model, calls do and closes both.
func (a *App) WithModel(ctx context.Context, do func(library Library, engine *Session) error) error {
	use := func(library Library) error {
		return a.WithEngine(ctx, func(engine *Session) error { return do(library, engine) })
	}
	if a.Cluster != "" {
		return a.withCluster(ctx, use)
	}
	return a.withOrCreateLibrary(ctx, false, func(library *local.Library) error { return use(library) })
}

// WithEngine opens the model, calls do and closes it.
func (a *App) WithEngine(ctx context.Context, do func(engine *Session) error) (err error) {
	engine, err := a.OpenEngine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, engine.Close()) }()
	return do(engine)
}

// WithVectors opens the library for reading, vectors included, calls do and closes it.
func (a *App) WithVectors(ctx context.Context, do func(Library) error) (err error) {
	if a.Cluster != "" {
		return a.withCluster(ctx, do)
	}
	library, err := a.OpenLibrary(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = joinErrors(err, library.Close()) }()
	return do(library)
}

// WithVectorsAndModel is WithVectors with the model.
func (a *App) WithVectorsAndModel(ctx context.Context, do func(library Library, engine *Session) error) error {
	return a.WithVectors(ctx, func(library Library) error {
		return a.WithEngine(ctx, func(engine *Session) error { return do(library, engine) })
	})
}

// joinErrors is errors.Join that leaves a single error as it is, so that its exit status and remedy stay in sight.
func joinErrors(first, second error) error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return errors.Join(first, second)
}

// NewSearcher makes the searcher over a library and a model. Asker may be nil: questions to hits are then refused.
func (a *App) NewSearcher(library Library, engine *Session, asker *ask.Asker) (*search.Searcher, error) {
	calibration, err := a.Calibration(engine)
	if err != nil {
		return nil, err
	}
	if engine.interpreter == nil {
		if engine.interpreter, err = a.NewInterpreter(engine.Runtime); err != nil {
			return nil, err
		}
	}
	window := 0 // that of package search
	if _, is := library.(*OnCluster); is {
		window = clusterWindow
	}
	return search.New(library, engine.Engine, search.Options{
		Calibration: &calibration, Window: window, Logger: a.Log(), TokenCacheBytes: a.TokenCache, Decoder: library.Decoder(), Asker: asker,
		Interpreter: engine.interpreter,
		Scenes:      duplicates.NewKept(duplicates.FileOf(library.DerivedFolder()), a.Log()),
	})
}

// FloatAdvice is what helps against every warning about an int8 model.
const FloatAdvice = "import it with --precision fp32 instead"

// lavisTokens is how many tokens of a text LAVIS evaluates with.
const lavisTokens = 35

// Fits fails when the library was made with another model than the one that is
// open: searching by meaning then fails too.
func Fits(ctx context.Context, library index.Source, engine *Session) error {
	reader, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	if space, some := reader.Space(); some && space != engine.Space() {
		return fmt.Errorf("the library has vectors of the model %s, and the open model is %s", space, engine.Space())
	}
	return nil
}
