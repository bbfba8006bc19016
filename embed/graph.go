package embed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
)

// graph is a session that is opened when it is first needed.
type graph struct {
	manifest.Signature
	files *files

	mutex   sync.Mutex
	session *ort.Session // of as many threads as the engine has, or one where the graph runs on one thread
	single  *ort.Session // of one thread, for runs side by side; opened when there are some
	wide    *ort.Session // of as many threads as the engine has, for large runs of a graph that otherwise runs on one
}

// open returns the session, verifying the graph's files and opening it first if
// need be.
func (g *graph) open(ctx context.Context, e *core) (*ort.Session, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	threads := e.options.Threads
	if g.singleThreaded() {
		threads = 1
	}
	return g.opened(ctx, e, &g.session, threads)
}

// openSingle returns a session whose runs take one thread each.
func (g *graph) openSingle(ctx context.Context, e *core) (*ort.Session, error) {
	if g.singleThreaded() || e.options.Threads == 1 {
		return g.open(ctx, e)
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.opened(ctx, e, &g.single, 1)
}

// openFor returns the session for a run of so much work, in multiply-adds: a graph
// that runs on one thread for one text may do better on several for more.
func (g *graph) openFor(ctx context.Context, e *core, work float64) (*ort.Session, error) {
	if !g.singleThreaded() || e.options.Threads == 1 || work < singleThreadWork {
		return g.open(ctx, e)
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.opened(ctx, e, &g.wide, e.options.Threads)
}

// opened opens *session if need be. The graph's mutex is held.
func (g *graph) opened(ctx context.Context, e *core, session **ort.Session, threads int) (*ort.Session, error) {
	if *session != nil {
		return *session, nil
	}
	started := time.Now()
	if err := g.verify(ctx); err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	verified := time.Now()
	// Without an arena runs would ask the system for memory again and again: an image
	// takes a twentieth more, and runs side by side, which take turns at it, an eighth.
	// It holds a few of the graph's tensors, which is less than gets lost between the
	// pieces otherwise.
	derived, err := g.derived(ctx)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	opened, err := e.options.Runtime.Session(ctx, ort.SessionOptions{
		Path: g.files.path(g.source()), Model: derived, Inputs: g.Inputs, Outputs: g.Outputs,
		Threads: threads, Spin: e.options.Spin, Arena: true, Provider: e.options.Provider,
	})
	if err != nil {
		return nil, err
	}
	e.options.Logger.Debug("opened graph", "file", g.File, "threads", threads,
		"verify", verified.Sub(started), "open", time.Since(verified))
	*session = opened
	return opened, nil
}

// verify compares the hashes of the graph's file and of its weights.
func (g *graph) verify(ctx context.Context) error {
	return g.files.verify(ctx, g.source(), g.Data)
}

// source is the graph's file, or the one that it is derived from.
func (g *graph) source() string {
	if g.Derive != nil {
		return g.From
	}
	return g.File
}

// derived is the graph where it is not a file; nil where it is.
func (g *graph) derived(ctx context.Context) ([]byte, error) {
	if g.Derive == nil {
		return nil, nil
	}
	content, err := g.files.read(ctx, g.From)
	if err != nil {
		return nil, err
	}
	content, err = g.Derive(content)
	if err != nil {
		return nil, fmt.Errorf("%s from %s: %w", g.File, g.From, err)
	}
	return content, nil
}

func (g *graph) close() error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var problems []error
	for _, session := range []**ort.Session{&g.session, &g.single, &g.wide} {
		if *session != nil {
			problems = append(problems, (*session).Close())
			*session = nil
		}
	}
	return errors.Join(problems...)
}

// Warm opens the graphs, so that no later call has to wait for them, but for those
// that only several texts on one image need: they are opened when there are some.
func (e *Engine) Warm(ctx context.Context) error {
	done, err := e.begin()
	if err != nil {
		return err
	}
	defer done()
	for _, signature := range e.description.Graphs {
		if signature.File == manifest.MatchImageFile || signature.File == manifest.MatchTextFile {
			continue
		}
		graph := e.graphs[signature.File]
		if _, err := graph.open(ctx, e.core); err != nil {
			return err
		}
		if signature.File == manifest.MatchFile || signature.File == manifest.TextFile { // of which searches need several at once
			if _, err := graph.openSingle(ctx, e.core); err != nil {
				return err
			}
		}
	}
	return nil
}
