// Package models keeps compiled models: a folder of them under the cache, each
// made once from a checkpoint and then opened by its name.
//
// Compiling takes turns between processes, and a model's folder appears whole or
// not at all.
package models

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mekiki/embed/blip2"
	"mekiki/embed/manifest"
	"mekiki/embed/marian"
	"mekiki/embed/ort"
	"mekiki/internal/filelock"
	"mekiki/internal/folders"
	"mekiki/internal/hint"
)

// ErrNotFound means that there is no model of the name.
var ErrNotFound = errors.New("no such model")

// Options says where models are kept and how they are made.
type Options struct {
	// Dir is the folder of models: models/ in the cache folder when empty.
	Dir string
	// Precision of models that are compiled; manifest.Int8 when empty.
	Precision manifest.Precision
	// Fast merges tokens in the vision encoders of models that are compiled; see blip2.CompileOptions.
	Fast bool
	// Runtime is needed to compile in int8 and int4.
	Runtime *ort.Runtime
	// Threads bounds the threads of compiling; 0 means all processors.
	Threads int
	// Progress is told of every step of a compilation, from one goroutine; it may
	// be nil.
	Progress func(blip2.Step)
	// Waiting is called once when another process is compiling; it may be nil.
	Waiting func()
	// Sums are hashes of checkpoints inside the program, so that one that two models
	// are made of is hashed once; nil hashes for each model.
	Sums *Sums
	// Logger receives what was done; nil is silent.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Precision == "" {
		o.Precision = manifest.Int8
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	o.Dir, err = folders.CacheOr(o.Dir, "models")
	return o, err
}

// Model is a compiled model on this machine.
type Model struct {
	Name     string
	Dir      string
	Bytes    int64 // of all its files
	Manifest manifest.Manifest
	// Problem says why the model cannot be used; the manifest is then empty. It is
	// nil for a model whose manifest and file sizes are sound.
	Problem error
}

// validName is what a model may be called, so that it is a plain folder name on
// every system.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// removedSuffix ends the name of a model that is being deleted.
const removedSuffix = ".removed"

// ValidateName reports a name that no model can have.
func ValidateName(name string) error {
	own := slices.ContainsFunc([]string{".partial", ".old", removedSuffix, "."}, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
	if own || !validName.MatchString(name) {
		return hint.Wrap(fmt.Errorf("%q cannot be a model's name", name),
			"use letters, digits, dots, dashes and underscores, beginning with a letter or digit")
	}
	return nil
}

// Compile makes the model called name from a checkpoint and returns its folder,
// replacing a model of that name.
func Compile(ctx context.Context, source blip2.Source, name string, options Options, compile blip2.CompileOptions) (Model, error) {
	options, err := options.withDefaults()
	if err != nil {
		return Model{}, err
	}
	if err := ValidateName(name); err != nil {
		return Model{}, err
	}
	lock, err := options.lock(ctx, name)
	if err != nil {
		return Model{}, err
	}
	defer lock.Close()
	return options.compile(ctx, source, name, compile)
}

func (o Options) lock(ctx context.Context, name string) (*filelock.Lock, error) {
	return filelock.Acquire(ctx, o.lockPath(name), o.Waiting)
}

func (o Options) lockPath(name string) string { return filepath.Join(o.Dir, "."+name+".lock") }

// restore puts back the model called name if a compilation moved it aside and was
// killed before the new one took its place.
func (o Options) restore(name string) {
	if exists(filepath.Join(o.Dir, name)) || !exists(filepath.Join(o.Dir, name+".old")) {
		return
	}
	lock, err := filelock.Try(o.lockPath(name))
	if err != nil {
		return // a compilation is at work, and will finish or leave it as it is
	}
	defer lock.Close()
	if err := manifest.Restore(filepath.Join(o.Dir, name)); err != nil {
		o.Logger.Warn("cannot put back the model before an interrupted compilation", "model", name, "error", err)
	}
}

// compile makes a model whose lock is held.
func (o Options) compile(ctx context.Context, source blip2.Source, name string, compile blip2.CompileOptions) (Model, error) {
	compile.Precision, compile.Runtime, compile.Threads = o.Precision, o.Runtime, o.Threads
	compile.Fast, compile.Progress, compile.Logger = o.Fast, o.Progress, o.Logger
	dir := filepath.Join(o.Dir, name)
	var err error
	if source.Config().Translates() {
		_, err = marian.Compile(ctx, source, dir, translatorOptions(compile))
	} else {
		_, err = blip2.Compile(ctx, source, dir, compile)
	}
	if err != nil {
		return Model{}, fmt.Errorf("model %s: %w", name, err)
	}
	model := read(dir)
	return model, model.Problem
}

// translatorOptions are the options of a compilation, for a model that translates.
func translatorOptions(compile blip2.CompileOptions) marian.Options {
	options := marian.Options{Precision: withLanguage(compile.Precision), Runtime: compile.Runtime, Threads: compile.Threads, Logger: compile.Logger}
	if tell := compile.Progress; tell != nil {
		done := 0
		options.Step = func(doing string) {
			tell(blip2.Step{Doing: doing, Done: done, Total: done + 1})
			done++
		}
	}
	return options
}

// Find returns the model that the user means: a folder with a model, or the name
// of a compiled one.
func Find(nameOrDir string, options Options) (Model, error) {
	options, err := options.withDefaults()
	if err != nil {
		return Model{}, err
	}
	dir := filepath.Join(options.Dir, nameOrDir)
	if ValidateName(nameOrDir) == nil {
		options.restore(nameOrDir)
	}
	if ValidateName(nameOrDir) != nil || !exists(dir) {
		if !exists(filepath.Join(nameOrDir, manifest.FileName)) {
			return Model{}, options.notFound(nameOrDir)
		}
		dir = nameOrDir
	}
	model := read(dir)
	if model.Problem != nil {
		return Model{}, model.Problem
	}
	return model, nil
}

func (o Options) notFound(name string) error {
	remedy := "import a checkpoint with mekiki import, or download one with mekiki pull"
	if list, err := List(o); err == nil && len(list) > 0 {
		names := make([]string, len(list))
		for i, model := range list {
			names[i] = model.Name
		}
		remedy = "choose one of " + strings.Join(names, ", ") + ", or " + remedy
	}
	return hint.Wrap(fmt.Errorf("%w: %s", ErrNotFound, name), remedy)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// read describes the model in a folder.
func read(dir string) Model {
	model := Model{Name: filepath.Base(dir), Dir: dir}
	described, err := manifest.Read(dir)
	if err == nil {
		err = described.CheckFolder(dir)
	}
	model.Manifest, model.Problem = described, err
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			model.Bytes += info.Size()
		}
	}
	return model
}

// List returns the compiled models by name. One that cannot be used is listed with
// its Problem.
func List(options Options) ([]Model, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(options.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list models: %w", err)
	}
	names := map[string]bool{}
	for _, entry := range entries {
		if name := strings.TrimSuffix(entry.Name(), ".old"); entry.IsDir() && ValidateName(name) == nil {
			names[name] = true
		}
	}
	var list []Model
	for name := range names {
		options.restore(name)
		if dir := filepath.Join(options.Dir, name); exists(dir) {
			list = append(list, read(dir))
		}
	}
	slices.SortFunc(list, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Remove deletes the model called name. A program that has it open keeps working
// where the system allows a file in use to be removed.
func Remove(ctx context.Context, name string, options Options) error {
	options, err := options.withDefaults()
	if err != nil {
		return err
	}
	dir := filepath.Join(options.Dir, name)
	if ValidateName(name) != nil || !exists(dir) {
		return options.notFound(name)
	}
	lock, err := options.lock(ctx, name)
	if err != nil {
		return err
	}
	defer lock.Close()
	// Out of sight first, so that nobody opens half a model.
	removed := dir + removedSuffix
	if err := errors.Join(os.RemoveAll(removed), os.Rename(dir, removed), os.RemoveAll(removed)); err != nil {
		return fmt.Errorf("remove model %s: %w", name, err)
	}
	return nil
}
