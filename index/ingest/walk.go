package ingest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mekiki/index"
)

// walked is what a walk saw. Only below folders that were listed whole can a
// file be missed.
type walked struct {
	files   map[string]bool
	folders map[string]bool
	// links are the real folders that were entered through a link.
	entered map[string]bool
	// roots were walked; empty ones among them had nothing in them at all.
	roots map[string]bool
}

func newWalked() *walked {
	return &walked{files: map[string]bool{}, folders: map[string]bool{}, entered: map[string]bool{}, roots: map[string]bool{}}
}

// walkAll walks the run's paths.
func (r *run) walkAll(ctx context.Context, found chan<- index.File) (*walked, error) {
	w := &walker{run: r, walked: newWalked(), found: found}
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
		r.options.Logger.Warn("a path cannot be read", "error", problem)
		r.progress.failPath(problem)
	}
	return w.walked, nil
}

type walker struct {
	run    *run
	walked *walked
	found  chan<- index.File
}

// root walks one of the paths that were asked for. A file is taken whatever
// its name.
func (w *walker) root(ctx context.Context, root string) error {
	stat, err := os.Stat(root)
	if err != nil {
		return err
	}
	if !stat.IsDir() {
		return w.file(ctx, root, stat)
	}
	w.walked.roots[root] = true
	return w.folder(ctx, root, "", 1)
}

func (w *walker) folder(ctx context.Context, root, relative string, depth int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	folder := filepath.Join(root, filepath.FromSlash(relative))
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
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	w.walked.folders[folder] = true
	for _, entry := range entries {
		if err := w.entry(ctx, root, joinSlash(relative, entry.Name()), entry, depth); err != nil {
			return err
		}
	}
	return nil
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
	if strings.HasPrefix(name, ".") && !options.Hidden || matchAny(options.Exclude, relative) {
		return nil
	}
	full := filepath.Join(root, filepath.FromSlash(relative))
	if full == w.run.library.Folder() {
		return nil
	}
	mode := entry.Type()
	stat, err := entry.Info()
	if mode&fs.ModeSymlink != 0 {
		if !options.FollowSymlinks {
			return nil
		}
		if stat, err = os.Stat(full); err == nil {
			mode = stat.Mode().Type()
		}
	}
	switch {
	case err != nil: // gone since the folder was listed, or a link to nowhere
		return nil
	case mode.IsDir():
		if options.MaxDepth > 0 && depth >= options.MaxDepth {
			return nil
		}
		err := w.folder(ctx, root, relative, depth+1)
		if err != nil && ctx.Err() == nil {
			options.Logger.Warn("a folder cannot be read", "folder", full, "error", err)
			w.run.progress.failPath(err)
			return nil
		}
		return err
	case !mode.IsRegular():
		return nil
	case len(options.Include) > 0 && !matchAny(options.Include, relative):
		return nil
	case len(options.Include) == 0 && !isImageName(name):
		return nil
	}
	return w.file(ctx, full, stat)
}

func (w *walker) file(ctx context.Context, path string, stat fs.FileInfo) error {
	if w.walked.files[path] {
		return nil
	}
	w.walked.files[path] = true
	w.run.progress.see()
	select {
	case w.found <- stampOf(path, stat):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stampOf is what tells whether a file has changed.
func stampOf(path string, stat fs.FileInfo) index.File {
	return index.File{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: inodeOf(stat)}
}

// knownFiles feeds the first readable file of every image record.
func (r *run) knownFiles(ctx context.Context, found chan<- index.File) (*walked, error) {
	snapshot := r.library.Snapshot()
	defer snapshot.Close()
	for record := range snapshot.All() {
		if record.Kind != index.KindImage || snapshot.HasParts(record.ID, r.engine.Space()) {
			continue
		}
		for _, file := range record.Files {
			stat, err := os.Stat(file.Path)
			if err != nil {
				continue
			}
			r.progress.see()
			select {
			case found <- stampOf(file.Path, stat):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			break
		}
	}
	return nil, nil
}

// forget takes out files that are gone from folders that were listed whole.
func (r *run) forget(ctx context.Context, w *walked) error {
	if w == nil {
		return nil
	}
	snapshot := r.library.Snapshot()
	defer snapshot.Close()
	empty := r.emptyRoots(w)
	var batch index.Batch
	gone := func(path string) bool {
		if w.files[path] || !w.covers(path) || inside(path, empty) {
			return false
		}
		_, err := os.Lstat(path)
		return errors.Is(err, fs.ErrNotExist)
	}
	for record := range snapshot.All() {
		for _, file := range record.Files {
			if gone(file.Path) {
				batch.Detach = append(batch.Detach, file.Path)
			}
		}
	}
	for _, failure := range snapshot.Failures() {
		if gone(failure.File.Path) {
			batch.Resolved = append(batch.Resolved, failure.File.Path)
		}
	}
	if len(batch.Detach)+len(batch.Resolved) == 0 {
		return nil
	}
	if _, err := r.library.Write(ctx, batch); err != nil {
		return err
	}
	r.progress.remove(len(batch.Detach))
	return nil
}

// covers reports whether the walk would have seen the path were it there: some
// folder above it was listed.
func (w *walked) covers(path string) bool {
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
		if w.folders[folder] {
			return true
		}
		if parent := filepath.Dir(folder); parent == folder {
			return false
		}
	}
}

// emptyRoots lists the walked roots that hold nothing at all, although the
// library knows files below them. That is what a drive that is not mounted
// looks like, so their files are kept.
func (r *run) emptyRoots(w *walked) []string {
	var empty []string
	for root := range w.roots {
		if entries, err := os.ReadDir(root); err == nil && len(entries) == 0 {
			empty = append(empty, root)
			r.options.Logger.Warn("the folder is empty; what the library knows of it is kept", "folder", root,
				"try", "mekiki remove --folder, if its images are really gone")
		}
	}
	return empty
}

func inside(path string, folders []string) bool {
	for _, folder := range folders {
		if strings.HasPrefix(path, folder+string(filepath.Separator)) {
			return true
		}
	}
	return false
}
