package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/index/ingest/drives"
	"mekiki/index/ingest/report"
	"mekiki/index/ingest/rules"
)

// walked is what a walk saw. Only below folders that were listed whole can a
// file be missed.
type walked struct {
	// files are the first half of the SHA-256 of each path: a million take
	// tens of megabytes, whatever their names.
	files   map[[16]byte]struct{}
	folders map[string]bool
	// entered are the real folders that were entered through a link.
	entered map[string]bool
	// excluded are files and folders that a rule leaves out, see [exclusion].
	excluded map[[16]byte]struct{}
	// deleted are the paths that the system said were deleted or renamed.
	deleted map[string]bool
	// whole says that the roots were walked from top to bottom.
	whole bool
}

func newWalked() *walked {
	return &walked{
		files: map[[16]byte]struct{}{}, folders: map[string]bool{}, entered: map[string]bool{},
		excluded: map[[16]byte]struct{}{}, deleted: map[string]bool{},
	}
}

// fileEntry is a file, or what has the name of one, that a walk came across. A
// failure says why it cannot be read at all.
type fileEntry struct {
	file    index.File
	failure error
	// stored is the record whose content the library's store holds under the file's
	// path, or zero for a file of this machine.
	stored index.ID
	// sidecars are the paths of the files that describe it.
	sidecars []string
	// wants says what is to be done with it; older that an older version read
	// what is said of it.
	wants want
	older bool
	// replaces is the content that its path held before, if no file holds that
	// any more, and tags are what people gave that content.
	replaces index.Hash
	tags     []string
}

// want is what a file that was seen needs.
type want uint8

const (
	// wantAll: it is new, or changed, or its record lacks something.
	wantAll want = iota
	// wantMetadata: only what is said of it is to be read.
	wantMetadata
	// wantStamp: only where it is has changed.
	wantStamp
	// wantNothing: it is as it was.
	wantNothing
)

// see notes a file, and reports whether it is new.
func (w *walked) see(path string) bool {
	before := len(w.files)
	w.files[report.FileKey(path)] = struct{}{}
	return len(w.files) > before
}

func (w *walked) saw(path string) bool {
	_, seen := w.files[report.FileKey(path)]
	return seen
}

// walkAll walks the run's paths. When that takes long, because the pipeline
// takes the files no faster, they are counted ahead.
func (r *run) walkAll(ctx context.Context, found chan<- fileEntry) (*walked, error) {
	counting, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.countAhead(counting)
	}()
	defer func() {
		stop()
		<-ended
	}()
	return r.walkRoots(ctx, found)
}

func (r *run) walkRoots(ctx context.Context, found chan<- fileEntry) (*walked, error) {
	w := r.newWalker(found)
	w.walked.whole = true
	var problems []error
	for _, root := range r.roots {
		err := w.root(ctx, root)
		if ctx.Err() != nil {
			return w.walked, ctx.Err()
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	// One root that cannot be read does not keep the others out.
	if len(problems) == len(r.roots) && len(problems) > 0 {
		return w.walked, errors.Join(problems...)
	}
	for _, problem := range problems {
		r.options.Logger.Info("a path cannot be read", "error", problem) // and it is listed as failed
		r.progress.FailPath(problem)
	}
	return w.walked, nil
}

type walker struct {
	run    *run
	walked *walked
	// found is nil when files are only counted.
	found chan<- fileEntry
	count int
	// mounts say where folders are mounted, rules the ignore
	// files of folders, and beside what the folder that was looked at last holds
	// that may describe pictures.
	mounts *drives.Mounts
	rules  map[string]*rules.Ignoring
	beside *beside
}

func (r *run) newWalker(found chan<- fileEntry) *walker {
	return &walker{run: r, walked: newWalked(), found: found, mounts: drives.NewMounts(r.options.device), rules: map[string]*rules.Ignoring{}}
}

// root walks one of the paths that were asked for. A file is taken whatever
// its name.
func (w *walker) root(ctx context.Context, root string) error {
	stat, err := os.Stat(root)
	if err != nil {
		return err
	}
	if !stat.IsDir() {
		if failure := irregular(stat.Mode()); failure != nil {
			return fmt.Errorf("%s: %w", root, failure)
		}
		w.listen(filepath.Dir(root))
		return w.file(ctx, root, stat, nil)
	}
	return w.folder(ctx, root, "", 1)
}

func (w *walker) folder(ctx context.Context, root, relative string, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	folder := filepath.Join(root, filepath.FromSlash(relative))
	if stat, err := os.Stat(folder); err == nil && os.SameFile(stat, w.run.own) {
		return nil // whatever path led here, the library's pictures are its own
	}
	if w.run.options.FollowSymlinks {
		real, err := filepath.EvalSymlinks(folder)
		if err != nil {
			return err
		}
		if w.walked.entered[real] {
			return nil
		}
		w.walked.entered[real] = true
	}
	w.listen(folder) // before it is listed, lest something is missed between
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if relative != "" && !w.run.options.SystemFolders && rules.HoldsNoMedia(entries) {
		w.exclude(folder)
		return nil
	}
	if w.found != nil {
		w.walked.folders[folder] = true
	}
	w.readIgnoreFile(root, relative)
	names := besideOf(folder, entries)
	defer names.passOver(w)
	for _, entry := range entries {
		w.beside = names
		if err := w.entry(ctx, root, joinSlash(relative, entry.Name()), entry, depth); err != nil {
			return err
		}
	}
	return nil
}

// listen has the system tell of changes in a folder from now on.
func (w *walker) listen(folder string) {
	if w.found != nil && w.run.watcher != nil {
		w.run.watcher.listen(folder)
	}
}

func joinSlash(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

func (w *walker) entry(ctx context.Context, root, relative string, entry fs.DirEntry, depth int) error {
	options := &w.run.options
	name := entry.Name()
	full := filepath.Join(root, filepath.FromSlash(relative))
	if w.excludes(root, relative, entry.IsDir()) {
		w.exclude(full)
		return nil
	}
	if strings.HasPrefix(name, ".") && !options.Hidden {
		return nil
	}
	mode, target, failure := entry.Type(), fs.FileInfo(nil), error(nil)
	if mode&fs.ModeSymlink != 0 {
		if !options.FollowSymlinks {
			return nil
		}
		var err error
		if target, err = os.Stat(full); err != nil {
			failure = fmt.Errorf("the link %w", errNowhere)
		} else {
			mode = target.Mode().Type()
		}
	}
	switch {
	case failure == nil && mode.IsDir():
		if options.MaxDepth > 0 && depth >= options.MaxDepth {
			return nil
		}
		return w.subfolder(ctx, root, relative, full, depth+1)
	case len(options.Include) > 0 && !rules.MatchAny(options.Include, root, relative):
		return nil
	case len(options.Include) == 0 && !w.isImage(name, full, mode):
		w.passOver(name, mode)
		return nil
	case failure == nil:
		failure = irregular(mode)
	}
	if target == nil && w.found != nil {
		var err error
		if target, err = entry.Info(); err != nil { // gone since the folder was listed
			return nil
		}
	}
	return w.file(ctx, full, target, failure)
}

// subfolder walks a folder. One that cannot be read is a failure of its own.
func (w *walker) subfolder(ctx context.Context, root, relative, full string, depth int) error {
	err := w.folder(ctx, root, relative, depth)
	if err == nil || ctx.Err() != nil || w.found == nil {
		return ctx.Err()
	}
	w.run.options.Logger.Info("a folder cannot be read", "error", err) // and it is listed as failed
	stat, statErr := os.Stat(full)
	if statErr != nil {
		w.run.progress.FailPath(err)
		return nil
	}
	return w.file(ctx, full, stat, err)
}

// Why some things with the name of an image are not read.
var (
	errNowhere = errors.New("leads nowhere, or back to itself")
	errSpecial = errors.New("not a file but")
)

// irregular says what a thing is that is no file, or nil.
func irregular(mode fs.FileMode) error {
	switch {
	case mode.IsRegular():
		return nil
	case mode&fs.ModeNamedPipe != 0:
		return fmt.Errorf("%w a named pipe", errSpecial)
	case mode&fs.ModeSocket != 0:
		return fmt.Errorf("%w a socket", errSpecial)
	case mode&fs.ModeDevice != 0:
		return fmt.Errorf("%w a device", errSpecial)
	}
	return fmt.Errorf("%w something special", errSpecial)
}

// rootLength gives the length of the path of the folder that is indexed, the highest
// where one lies in another, and that a file is below.
func (r *run) rootLength(path string) int {
	length := len(filepath.Dir(path))
	for _, root := range r.roots {
		if inside(path, root) {
			length = min(length, len(root))
		}
	}
	return length
}

func (w *walker) file(ctx context.Context, path string, stat fs.FileInfo, failure error) error {
	mine := w.run.options.Shard.Has(path)
	if w.found == nil {
		if mine {
			w.count++
		}
		return ctx.Err()
	}
	if !w.walked.see(path) || !mine {
		return nil
	}
	w.run.progress.See()
	seen := fileEntry{file: drives.StampOf(path, stat), failure: failure}
	seen.file.MountLength = w.mounts.LengthOf(filepath.Dir(path))
	seen.file.RootLength = w.run.rootLength(path)
	seen.file.Sidecars, seen.sidecars = w.sidecarsOf(path)
	select {
	case w.found <- seen:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// countAhead counts the files of the run's paths by the same rules as the walk,
// but without waiting for what becomes of them. Nothing is kept of them.
func (r *run) countAhead(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(countDelay):
	}
	w := r.newWalker(nil)
	for _, root := range r.roots {
		if err := w.root(ctx, root); err != nil && ctx.Err() != nil {
			return
		}
	}
	r.progress.Expect(w.count)
}
