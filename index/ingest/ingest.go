// Package ingest brings folders of images, and files of texts, into a library:
// it walks, hashes, decodes, embeds, captions and commits, in a bounded
// pipeline that can be stopped at any moment and goes on where it was.
//
// One goroutine walks, one looks up what is known, several read and decode, and
// one runs the model and commits. The channels between them are short, so that
// memory does not grow with the number of files.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/embed/priority"
	"mekiki/index"
	"mekiki/index/ingest/drives"
	"mekiki/index/ingest/report"
)

// Engine is what ingest needs of a model; *embed.Engine is one. What it cannot do
// is not asked of it: no captions are written, or they are not judged.
type Engine interface {
	embed.Model
	embed.TextEmbedder
	embed.ImageEmbedder
	embed.Matcher
	embed.Captioner
}

// ErrModel is the error of a run that stopped because the model failed on one
// image after another.
var ErrModel = errors.New("the model fails")

// Run brings the paths into the library, and with Options.Watch goes on doing
// so until the context ends. When the context ends before the paths are looked
// through, what was committed stays, the summary says Interrupted, and the error
// is nil.
func Run(ctx context.Context, library index.Library, engine Engine, options Options) (report.Summary, error) {
	return execute(ctx, "index", library, engine, options, func(ctx context.Context, r *run) (whole bool, err error) {
		if r.options.Watch && !r.options.PollOnly {
			defer r.startWatching(ctx)()
		}
		err = r.pass(ctx, r.walkAll)
		whole = err == nil
		switch {
		case whole && r.options.Watch:
			err = r.watchAndDescribe(ctx)
		case whole:
			err = r.describeMissing(ctx)
			whole = err == nil
		}
		return whole, err
	})
}

// Fill gives every record of the library that lacks them vectors in the
// engine's space, from the original files: how a second model is brought in
// beside the first. Options.Paths is ignored.
func Fill(ctx context.Context, library index.Library, engine Engine, options Options) (report.Summary, error) {
	options.Paths, options.NewSpace, options.Watch, options.CaptionsLater = nil, true, false, false
	return execute(ctx, "fill space", library, engine, options, func(ctx context.Context, r *run) (whole bool, err error) {
		if err = r.pass(ctx, r.knownFiles); err == nil {
			err = r.fillTexts(ctx)
		}
		return err == nil, err
	})
}

// execute prepares a run, has work do it, and sums it up. What names it in errors. An end of the context is no error of
// work; the summary says Interrupted unless the work was whole.
func execute(ctx context.Context, what string, library index.Library, engine Engine, options Options, work func(context.Context, *run) (whole bool, err error)) (report.Summary, error) {
	options, err := options.ready()
	if err != nil {
		return report.Summary{}, fmt.Errorf("%s: %w", what, err)
	}
	ctx = priority.Background(ctx) // searches go first
	if err := index.PrepareSpace(ctx, library, engine.Space(), options.NewSpace); err != nil {
		return report.Summary{}, fmt.Errorf("%s: %w", what, err)
	}
	r, err := newRun(library, engine, options)
	if err != nil {
		return report.Summary{}, fmt.Errorf("%s: %w", what, err)
	}
	defer r.close()
	stop := r.report()
	whole, err := work(ctx, r)
	stop()
	summary := r.progress.Summary()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		summary.Interrupted, err = !whole, nil
	}
	if err != nil {
		return summary, fmt.Errorf("%s: %w", what, err)
	}
	return summary, nil
}

// run is one call of Run or Fill.
type run struct {
	library index.Library
	engine  Engine
	options Options
	decoder *pixels.Decoder
	// ownDecoder is closed with the run; nil when another one was given.
	ownDecoder *pixels.Decoder
	progress   *report.Tracker
	roots      []string
	// own is the library's folder; nil where that is in no file system of the
	// operating system.
	own fs.FileInfo
	// watcher is told of changes; nil where nobody watches, or nothing tells.
	watcher *changeWatcher
	// fresh has a value when a pass has ended after which captions were not looked for.
	fresh chan struct{}
	// opened says that the model has seen images: it is opened for the first.
	opened bool
	// rereading says that what all pictures say about themselves is read again.
	// reread are the records of several files that were, and moved those that got
	// another path, in this pass.
	rereading bool
	reread    map[index.ID]bool
	moved     map[index.ID]bool
	// replaced are the contents whose records became another content's.
	replaced map[index.Hash]bool
	// present are the mount points below which a known file was seen as it was.
	present map[string]bool
	// away are the folders whose drives are away, with the files that are kept.
	away map[string]int
}

func newRun(library index.Library, engine Engine, options Options) (*run, error) {
	r := &run{
		library: library, engine: engine, options: options, away: map[string]int{}, fresh: make(chan struct{}, 1),
		progress: report.NewTracker(options.Progress), rereading: options.Reread,
	}
	if located, ok := library.(index.Located); ok {
		if own, err := os.Stat(located.Folder()); err == nil {
			r.own = own
		}
	}
	for _, path := range options.Paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		r.roots = append(r.roots, absolute)
	}
	var decoder *pixels.Decoder
	if decodes, ok := library.(interface{ Decoder() *pixels.Decoder }); ok {
		decoder = decodes.Decoder() // one bound on memory holds for all who use the library
	} else {
		var err error
		if decoder, err = pixels.NewDecoder(pixels.Options{MaxPixels: pixels.MaximumPixels}); err != nil {
			return nil, err
		}
		r.ownDecoder = decoder
	}
	r.decoder = decoder.Limited(0, options.MaxPixels)
	return r, nil
}

// close lets go of the run's own decoder.
func (r *run) close() {
	if r.ownDecoder == nil {
		return
	}
	if err := r.ownDecoder.Close(); err != nil {
		r.options.Logger.Warn("close the decoder", "error", err)
	}
}

// source gives the files to look at to found, and what it knows to be complete
// to the walk.
type source func(ctx context.Context, found chan<- fileEntry) (*walked, error)

// pass sends every file that the feed finds through the pipeline, and then
// forgets what is gone. Files that are not what their path held before come last:
// what was there may have another path by then, and keeps its record.
func (r *run) pass(ctx context.Context, from source) error {
	r.progress.Begin()
	r.moved, r.reread, r.present = map[index.ID]bool{}, map[index.ID]bool{}, map[string]bool{}
	r.replaced = map[index.Hash]bool{}
	var altered []fileEntry
	walked, err := r.pipeline(ctx, from, &altered)
	if err != nil {
		return err
	}
	r.progress.WalkDone()
	if len(altered) > 0 {
		if altered, err = r.exchange(ctx, altered); err != nil {
			return err
		}
		if err := r.findReplaced(ctx, altered); err != nil {
			return err
		}
		if _, err := r.pipeline(ctx, sourceOf(altered), nil); err != nil {
			return err
		}
	}
	if err := r.forget(ctx, walked); err != nil {
		return err
	}
	r.rereading = false // once
	select {
	case r.fresh <- struct{}{}:
	default:
	}
	return nil
}

// findReplaced finds the files whose old content is nowhere any more: what they hold
// now is the same picture.
func (r *run) findReplaced(ctx context.Context, altered []fileEntry) error {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	paths := make([]string, len(altered))
	for i, seen := range altered {
		paths[i] = seen.file.Path
	}
	records, err := reader.RecordsByPath(ctx, paths)
	if err != nil {
		return err
	}
	away := drives.New(r.options.device)
	for i, record := range records {
		if record != nil && !slices.ContainsFunc(record.Files, away.Holds) {
			altered[i].replaces, altered[i].tags = record.Hash, record.Tags
		}
	}
	return nil
}

// sourceOf gives a list.
func sourceOf(files []fileEntry) source {
	return func(ctx context.Context, found chan<- fileEntry) (*walked, error) {
		for _, file := range files {
			select {
			case found <- file:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return nil, nil
	}
}

// pipeline brings in what the source finds, but for what goes to altered.
func (r *run) pipeline(ctx context.Context, from source, altered *[]fileEntry) (*walked, error) {
	group, stages := errgroup.WithContext(ctx)
	found := make(chan fileEntry, 256)
	wanted := make(chan fileEntry, 64)
	// What is decoded waits for the model here: as many images as it takes at
	// once, and no more.
	decoded := make(chan fileResult, r.options.ModelBatch)
	var walked *walked
	group.Go(func() (err error) {
		defer close(found)
		walked, err = from(stages, found)
		return err
	})
	group.Go(func() error {
		defer close(wanted)
		return r.examine(stages, found, wanted, altered)
	})
	r.startWorkers(stages, group, r.read, wanted, decoded)
	group.Go(func() error { return r.collect(stages, decoded) })
	return walked, group.Wait()
}

// startWorkers makes results of what is wanted by read, several at once.
func (r *run) startWorkers(ctx context.Context, group *errgroup.Group, read fileReader,
	wanted <-chan fileEntry, decoded chan<- fileResult) {
	workers, stages := errgroup.WithContext(ctx)
	for range r.options.Workers {
		workers.Go(func() error { return r.work(stages, read, wanted, decoded) })
	}
	group.Go(func() error {
		defer close(decoded)
		return workers.Wait()
	})
}
