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

	"github.com/fsnotify/fsnotify"

	"mekiki/index"
)

// Watching settles for a moment after a change, since files are written in
// pieces, and looks through everything now and then, since no system promises
// to tell of every change.
const (
	settleDelay  = time.Second
	fullInterval = 15 * time.Minute
)

// watch follows changes until the context ends.
func (r *run) watch(ctx context.Context) error {
	if r.options.PollOnly {
		return r.poll(ctx, r.options.PollInterval)
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		r.options.Logger.Warn("the system does not tell of changes; the folders are looked through instead", "error", err)
		return r.poll(ctx, r.options.PollInterval)
	}
	defer watcher.Close()
	follow := &follower{run: r, watcher: watcher, changed: map[string]bool{}}
	for _, root := range r.roots {
		follow.add(root)
	}
	return follow.loop(ctx)
}

// poll looks through the folders again and again.
func (r *run) poll(ctx context.Context, interval time.Duration) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(interval):
		}
		if err := r.again(ctx, r.walkAll); err != nil {
			return err
		}
	}
}

// again is a pass while watching: what goes wrong with the files is logged,
// what goes wrong with the library ends the watch.
func (r *run) again(ctx context.Context, from feed) error {
	err := r.pass(ctx, from)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, index.ErrWriter) || errors.Is(err, index.ErrClosed) || errors.Is(err, ErrModel) {
		return err
	}
	r.options.Logger.Error("look for changes", "error", err)
	return nil
}

type follower struct {
	run     *run
	watcher *fsnotify.Watcher
	changed map[string]bool
	// deaf says that some folder cannot be watched, so that polling must help.
	deaf bool
}

// add watches a folder and those below it. A file is watched by its folder.
func (f *follower) add(root string) {
	stat, err := os.Stat(root)
	if err != nil {
		return
	}
	if !stat.IsDir() {
		root = filepath.Dir(root)
		f.one(root)
		return
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return nil
		}
		if path == f.run.library.Folder() || path != root && !f.run.options.Hidden && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		f.one(path)
		return nil
	})
	if err != nil {
		f.run.options.Logger.Warn("a folder cannot be watched", "folder", root, "error", err)
	}
}

func (f *follower) one(folder string) {
	if err := f.watcher.Add(folder); err != nil && !f.deaf {
		f.deaf = true
		f.run.options.Logger.Warn("a folder cannot be watched; all are looked through from time to time",
			"folder", folder, "every", f.run.options.PollInterval, "error", err)
	}
}

func (f *follower) loop(ctx context.Context) error {
	settled := time.NewTimer(time.Hour)
	settled.Stop()
	full := time.NewTimer(f.interval())
	defer full.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case event, open := <-f.watcher.Events:
			if !open {
				return fmt.Errorf("the system stopped telling of changes")
			}
			if event.Has(fsnotify.Chmod) && !event.Has(fsnotify.Write|fsnotify.Create|fsnotify.Remove|fsnotify.Rename) {
				continue
			}
			if event.Has(fsnotify.Create) {
				if stat, err := os.Stat(event.Name); err == nil && stat.IsDir() {
					f.add(event.Name)
				}
			}
			f.changed[event.Name] = true
			settled.Reset(settleDelay)
		case err := <-f.watcher.Errors:
			// Events were lost: look at everything.
			f.run.options.Logger.Warn("changes were missed; all folders are looked through", "error", err)
			full.Reset(settleDelay)
		case <-settled.C:
			changed := f.changed
			f.changed = map[string]bool{}
			if err := f.run.again(ctx, f.run.changedFiles(changed)); err != nil {
				return err
			}
		case <-full.C:
			if err := f.run.again(ctx, f.run.walkAll); err != nil {
				return err
			}
			full.Reset(f.interval())
		}
	}
}

func (f *follower) interval() time.Duration {
	if f.deaf {
		return f.run.options.PollInterval
	}
	return fullInterval
}

// changedFiles feeds what was changed: files, and folders with all in them. The
// walk rules decide as they do for a whole walk.
func (r *run) changedFiles(changed map[string]bool) feed {
	return func(ctx context.Context, found chan<- sighting) (*walked, error) {
		w := &walker{run: r, walked: newWalked(), found: found}
		for path := range changed {
			root := r.rootOf(path)
			relative, err := filepath.Rel(root, path)
			if root == "" || err != nil {
				continue
			}
			// Whether it is there or gone, its folder is where it is missed.
			w.walked.folders[filepath.Dir(path)] = true
			if relative == "." {
				continue
			}
			if err := w.descend(ctx, root, filepath.ToSlash(relative)); err != nil {
				return w.walked, err
			}
		}
		return w.walked, nil
	}
}

// rootOf gives the walked root that a path is in, or "".
func (r *run) rootOf(path string) string {
	for _, root := range r.roots {
		if path == root || strings.HasPrefix(path, root+string(filepath.Separator)) {
			return root
		}
	}
	return ""
}

// descend goes from the root to one path, by the rules that hold on the way.
func (w *walker) descend(ctx context.Context, root, relative string) error {
	elements := strings.Split(relative, "/")
	for depth := range elements[:len(elements)-1] {
		above := strings.Join(elements[:depth+1], "/")
		hidden := strings.HasPrefix(elements[depth], ".") && !w.run.options.Hidden
		if hidden || matchAny(w.run.options.Exclude, above) {
			return nil
		}
	}
	if limit := w.run.options.MaxDepth; limit > 0 && len(elements) > limit {
		return nil
	}
	stat, err := os.Lstat(filepath.Join(root, filepath.FromSlash(relative)))
	if err != nil {
		return nil // gone: forget will see to it
	}
	return w.entry(ctx, root, relative, fs.FileInfoToDirEntry(stat), len(elements))
}
