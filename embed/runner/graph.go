package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
)

// Graph is a session that is opened when it is first needed.
type Graph struct {
	manifest.Signature
	files *Files

	mutex   sync.Mutex
	session *ort.Session // of as many threads as the engine has, or one where the graph runs on one thread
	single  *ort.Session // of one thread, for runs side by side; opened when there are some
	wide    *ort.Session // of as many threads as the engine has, for large runs of a graph that otherwise runs on one
}

// Open returns the session, verifying the graph's files and opening it first if
// need be.
func (g *Graph) Open(ctx context.Context, m *Model) (*ort.Session, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	threads := m.Options.Threads
	if g.singleThreaded() {
		threads = 1
	}
	return g.opened(ctx, m, &g.session, threads)
}

// OpenSingle returns a session whose runs take one thread each.
func (g *Graph) OpenSingle(ctx context.Context, m *Model) (*ort.Session, error) {
	if g.singleThreaded() || m.Options.Threads == 1 {
		return g.Open(ctx, m)
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.opened(ctx, m, &g.single, 1)
}

// OpenFor returns the session for a run of so much work, in multiply-adds: a graph
// that runs on one thread for one text may do better on several for more.
func (g *Graph) OpenFor(ctx context.Context, m *Model, work float64) (*ort.Session, error) {
	if !g.singleThreaded() || m.Options.Threads == 1 || work < singleThreadWork {
		return g.Open(ctx, m)
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.opened(ctx, m, &g.wide, m.Options.Threads)
}

// opened opens *session if need be. The graph's mutex is held.
func (g *Graph) opened(ctx context.Context, m *Model, session **ort.Session, threads int) (*ort.Session, error) {
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
	opened, err := m.Options.Runtime.Session(ctx, ort.SessionOptions{
		Path: g.files.Path(g.source()), Model: derived, Inputs: g.Inputs, Outputs: g.Outputs,
		Threads: threads, Spin: threads > 1, Arena: true, Provider: m.Options.Provider,
	})
	if err != nil {
		return nil, err
	}
	m.Options.Logger.Debug("opened graph", "file", g.File, "threads", threads,
		"verify", verified.Sub(started), "open", time.Since(verified))
	*session = opened
	return opened, nil
}

// Verify compares the hashes of the graph's file and of its weights.
func (g *Graph) verify(ctx context.Context) error {
	return g.files.Verify(ctx, g.source(), g.Data)
}

// source is the graph's file, or the one that it is derived from.
func (g *Graph) source() string {
	if g.Derive != nil {
		return g.From
	}
	return g.File
}

// derived is the graph where it is not a file; nil where it is.
func (g *Graph) derived(ctx context.Context) ([]byte, error) {
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

func (g *Graph) close() error {
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
