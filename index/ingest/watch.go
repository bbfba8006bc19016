package ingest

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"mekiki/index"
	"mekiki/index/metadata"
)

// Watching settles for a moment after a change, since files are written in
// pieces, but not for ever, since some are written all the time; and looks through
// everything now and then, since no system promises to tell of every change.
const (
	settleDelay  = time.Second
	settleLimit  = 10 * time.Second
	fullInterval = 15 * time.Minute
)

// keptChanges is how many changed paths are kept apart; beyond, everything is
// looked through.
const keptChanges = 100_000

// watch follows changes until the context ends.
func (r *run) watch(ctx context.Context) error {
	if r.follower == nil {
		return r.poll(ctx, r.options.PollInterval)
	}
	return r.follower.loop(ctx)
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

// follower hears of changes in the folders that the walks listed. It listens from
// before the first walk on, and also while the pipeline runs.
type follower struct {
	run     *run
	watcher *fsnotify.Watcher
	// woken has a value when there is something new.
	woken chan struct{}

	mutex sync.Mutex
	// changed are the paths that changed; true are those whose name may be
	// another's now.
	changed     map[string]bool
	first, last time.Time
	// missed says that changes were lost.
	missed bool
	// deaf says that some folder cannot be watched, so that polling must help.
	deaf bool
}

// follow begins to listen, and returns what ends it.
func (r *run) follow() (end func()) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		r.options.Logger.Warn("the system does not tell of changes; the folders are looked through instead", "error", err)
		return func() {}
	}
	f := &follower{run: r, watcher: watcher, changed: map[string]bool{}, woken: make(chan struct{}, 1)}
	r.follower = f
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.hear()
	}()
	return func() {
		if err := watcher.Close(); err != nil {
			r.options.Logger.Warn("stop listening to changes", "error", err)
		}
		<-ended
	}
}

// listen has the system tell of changes in a folder.
func (f *follower) listen(folder string) {
	err := f.watcher.Add(folder)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fsnotify.ErrClosed) {
		return // the walk says so itself
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if !f.deaf {
		f.deaf = true
		f.run.options.Logger.Warn("a folder cannot be watched; all are looked through from time to time",
			"folder", folder, "every", f.run.options.PollInterval, "error", err)
	}
}

// hear notes changes until the watcher is closed.
func (f *follower) hear() {
	for {
		select {
		case event, open := <-f.watcher.Events:
			if !open {
				return
			}
			if f.matters(event) {
				f.note(event)
			}
		case err, open := <-f.watcher.Errors:
			if !open {
				return
			}
			f.run.options.Logger.Warn("changes were missed; all folders are looked through", "error", err)
			f.miss()
		}
	}
}

// matters leaves out what can change no picture: most of what happens to other
// files, and to permissions unless they kept a file out.
func (f *follower) matters(event fsnotify.Event) bool {
	switch {
	case event.Has(fsnotify.Create | fsnotify.Remove | fsnotify.Rename):
		return true
	case event.Has(fsnotify.Write):
		name := filepath.Base(event.Name)
		return len(f.run.options.Include) > 0 || isImageName(name) || metadata.IsSidecarName(name) || isRule(name) ||
			f.run.options.NoExtension && filepath.Ext(name) == ""
	}
	snapshot := f.run.library.Snapshot()
	defer snapshot.Close()
	_, failed := snapshot.Failure(event.Name)
	return failed
}

func (f *follower) note(event fsnotify.Event) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.last = time.Now()
	if len(f.changed) == 0 && !f.missed {
		f.first = f.last
	}
	f.changed[event.Name] = f.changed[event.Name] || event.Has(fsnotify.Remove|fsnotify.Rename)
	if len(f.changed) > keptChanges {
		f.missed = true
		clear(f.changed)
	}
	f.wake()
}

func (f *follower) miss() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.last = time.Now()
	if len(f.changed) == 0 && !f.missed {
		f.first = f.last
	}
	f.missed = true
	f.wake()
}

func (f *follower) wake() {
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

// due says when the changes so far are to be looked at.
func (f *follower) due() (time.Time, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	rested, most := f.last.Add(f.run.options.settle), f.first.Add(f.run.options.settleMost)
	if most.Before(rested) {
		rested = most
	}
	return rested, len(f.changed) > 0 || f.missed
}

// take gives the changes so far.
func (f *follower) take() (changed map[string]bool, missed bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	changed, missed = f.changed, f.missed
	f.changed, f.missed = map[string]bool{}, false
	return changed, missed
}

func (f *follower) loop(ctx context.Context) error {
	full := time.Now().Add(f.interval())
	for {
		at := full
		if due, any := f.due(); any && due.Before(full) {
			at = due
		}
		timer := time.NewTimer(time.Until(at))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-f.woken:
			timer.Stop()
			continue
		case <-timer.C:
		}
		changed, all := f.take()
		all = all || !time.Now().Before(full)
		f.forget(changed)
		from := f.run.changedFiles(changed)
		if all {
			from = f.run.walkAll
		}
		if err := f.run.again(ctx, from); err != nil {
			return err
		}
		if next := time.Now().Add(f.interval()); all || next.Before(full) {
			full = next
		}
	}
}

// interval is how long to rely on the system.
func (f *follower) interval() time.Duration {
	f.mutex.Lock()
	deaf := f.deaf
	f.mutex.Unlock()
	for _, root := range f.run.roots {
		_, err := os.Stat(root)
		deaf = deaf || err != nil // nobody tells when it comes back
	}
	if deaf {
		return f.run.options.PollInterval
	}
	return fullInterval
}

// forget stops listening to folders that have another name now: the system would
// go on telling of them by their old one.
func (f *follower) forget(changed map[string]bool) {
	gone := func(path string) bool {
		for {
			if changed[path] {
				return true
			}
			parent := filepath.Dir(path)
			if parent == path {
				return false
			}
			path = parent
		}
	}
	if !slices.Contains(slices.Collect(maps.Values(changed)), true) {
		return
	}
	for _, folder := range f.watcher.WatchList() {
		if gone(folder) {
			_ = f.watcher.Remove(folder) // it may have ended by itself
		}
	}
}

// changedFiles feeds what was changed: files, and folders with all in them. The
// walk rules decide as they do for a whole walk.
func (r *run) changedFiles(changed map[string]bool) feed {
	return func(ctx context.Context, found chan<- sighting) (*walked, error) {
		w := r.newWalker(found)
		changed = withDescribed(changed)
		for _, root := range r.roots {
			for path := range changed {
				if path != root && !inside(path, root) {
					continue
				}
				if _, err := os.Stat(root); err != nil {
					r.options.Logger.Warn("a path cannot be read; what the library knows of it is kept", "error", err)
					break
				}
				if err := w.change(ctx, root, path, changed[path]); err != nil {
					return w.walked, err
				}
			}
		}
		return w.walked, nil
	}
}

// change looks at one path in a root, which may be gone.
func (w *walker) change(ctx context.Context, root, path string, gone bool) error {
	relative, err := filepath.Rel(root, path)
	switch {
	case err != nil:
		return nil
	case relative == ".":
		if err := w.root(ctx, root); err != nil && ctx.Err() == nil {
			w.run.options.Logger.Warn("a path cannot be read", "error", err)
		}
		return ctx.Err()
	}
	if gone {
		w.walked.folders[filepath.Dir(path)] = true // where it is missed
		w.walked.deleted[path] = true
	}
	return w.descend(ctx, root, filepath.ToSlash(relative))
}

// descend goes from the root to one path, by the rules that hold on the way.
func (w *walker) descend(ctx context.Context, root, relative string) error {
	elements := strings.Split(relative, "/")
	w.readIgnoreFile(root, "")
	for depth := range elements[:len(elements)-1] {
		above := strings.Join(elements[:depth+1], "/")
		folder := filepath.Join(root, filepath.FromSlash(above))
		hidden := strings.HasPrefix(elements[depth], ".") && !w.run.options.Hidden
		if hidden || w.excludes(root, above, true) || !w.run.options.SystemFolders && exists(filepath.Join(folder, noMediaName)) {
			return nil
		}
		w.readIgnoreFile(root, above)
	}
	if limit := w.run.options.MaxDepth; limit > 0 && len(elements) > limit {
		return nil
	}
	full := filepath.Join(root, filepath.FromSlash(relative))
	stat, err := os.Lstat(full)
	if err != nil {
		return nil // gone: forget will see to it
	}
	defer w.enterAbove(root, full)()
	return w.entry(ctx, root, relative, fs.FileInfoToDirEntry(stat), len(elements))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// isRule reports whether a file says what of its folder is left out.
func isRule(name string) bool { return name == ignoreName || name == noMediaName }

// withDescribed adds to changed paths what else is to be looked at for them: the folders
// whose rules changed, and what lies beside files that may describe it.
func withDescribed(changed map[string]bool) map[string]bool {
	all, listed := maps.Clone(changed), map[string]bool{}
	for path := range changed {
		folder, name := filepath.Dir(path), filepath.Base(path)
		if isRule(name) {
			all[folder] = all[folder]
		}
		if !metadata.IsSidecarName(name) || listed[folder] {
			continue
		}
		listed[folder] = true
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if image := filepath.Join(folder, entry.Name()); isImageName(entry.Name()) {
				all[image] = all[image]
			}
		}
	}
	return all
}

// enterAbove marks the folders above a path as entered until the returned function
// is called, lest a link below leads back to them.
func (w *walker) enterAbove(root, path string) (leave func()) {
	if !w.run.options.FollowSymlinks {
		return func() {}
	}
	var marked []string
	for path != root && filepath.Dir(path) != path {
		path = filepath.Dir(path)
		if real, err := filepath.EvalSymlinks(path); err == nil && !w.walked.entered[real] {
			w.walked.entered[real] = true
			marked = append(marked, real)
		}
	}
	return func() {
		for _, real := range marked {
			delete(w.walked.entered, real)
		}
	}
}
