package ingest

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/metadata"
)

// watch follows changes until the context ends.
func (r *run) watch(ctx context.Context) error {
	if r.watcher == nil {
		return r.poll(ctx, r.options.PollInterval)
	}
	return r.watcher.loop(ctx)
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
func (r *run) again(ctx context.Context, from source) error {
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

// changeWatcher is told of changes in the folders that the walks listed. It listens from
// before the first walk on, and also while the pipeline runs.
type changeWatcher struct {
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
	// pollOnly says that some folder cannot be watched, so that polling must help.
	pollOnly bool
}

// startWatching begins to listen, and returns what ends it.
func (r *run) startWatching(ctx context.Context) (end func()) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		r.options.Logger.Warn("the system does not tell of changes; the folders are looked through instead", "error", err)
		return func() {}
	}
	f := &changeWatcher{run: r, watcher: watcher, changed: map[string]bool{}, woken: make(chan struct{}, 1)}
	r.watcher = f
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.eventLoop(ctx)
	}()
	return func() {
		if err := watcher.Close(); err != nil {
			r.options.Logger.Warn("stop listening to changes", "error", err)
		}
		<-ended
	}
}

// listen has the system tell of changes in a folder.
func (f *changeWatcher) listen(folder string) {
	err := f.watcher.Add(folder)
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fsnotify.ErrClosed) {
		return // the walk says so itself
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if !f.pollOnly {
		f.pollOnly = true
		f.run.options.Logger.Warn("a folder cannot be watched; all are looked through from time to time",
			"folder", folder, "every", f.run.options.PollInterval, "error", err)
	}
}

// eventLoop notes changes until the watcher is closed.
func (f *changeWatcher) eventLoop(ctx context.Context) {
	for {
		select {
		case event, open := <-f.watcher.Events:
			if !open {
				return
			}
			if f.relevant(ctx, event) {
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

// relevant leaves out what can change no picture: most of what happens to other
// files, and to permissions unless they kept a file out.
func (f *changeWatcher) relevant(ctx context.Context, event fsnotify.Event) bool {
	switch {
	case event.Has(fsnotify.Create | fsnotify.Remove | fsnotify.Rename):
		return true
	case event.Has(fsnotify.Write):
		name := filepath.Base(event.Name)
		return len(f.run.options.Include) > 0 || pixels.HasImageName(name) || metadata.IsSidecarName(name) || isRule(name) ||
			f.run.options.NoExtension && filepath.Ext(name) == ""
	}
	failed, err := f.run.hasFailed(ctx, event.Name)
	return failed || err != nil // the next look tells
}

// hasFailed reports whether a file could not be indexed.
func (r *run) hasFailed(ctx context.Context, path string) (bool, error) {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return false, err
	}
	defer reader.Close()
	failure, err := index.One(reader.FailuresOf(ctx, []string{path}))
	return failure != nil, err
}

func (f *changeWatcher) note(event fsnotify.Event) {
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

func (f *changeWatcher) miss() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.last = time.Now()
	if len(f.changed) == 0 && !f.missed {
		f.first = f.last
	}
	f.missed = true
	f.wake()
}

func (f *changeWatcher) wake() {
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

// due says when the changes so far are to be looked at.
func (f *changeWatcher) due() (time.Time, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	rested, most := f.last.Add(f.run.options.settle), f.first.Add(f.run.options.settleMost)
	if most.Before(rested) {
		rested = most
	}
	return rested, len(f.changed) > 0 || f.missed
}

// take gives the changes so far.
func (f *changeWatcher) take() (changed map[string]bool, missed bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	changed, missed = f.changed, f.missed
	f.changed, f.missed = map[string]bool{}, false
	return changed, missed
}

func (f *changeWatcher) loop(ctx context.Context) error {
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
func (f *changeWatcher) interval() time.Duration {
	f.mutex.Lock()
	deaf := f.pollOnly
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
func (f *changeWatcher) forget(changed map[string]bool) {
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
