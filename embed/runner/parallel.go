package runner

import (
	"context"
	"sync"

	"mekiki/embed/ort"
)

// singleThreadWork is the work, in multiply-adds, below which one run does better on one
// thread, and several runs side by side.
const singleThreadWork = 300e6

// singleThreaded reports whether the graph runs on one thread.
func (g *Graph) singleThreaded() bool { return g.Work < singleThreadWork }

// Each calls do for 0 to count-1, in parallel where the graph runs on one thread, until
// the first error, which it returns, or the end of ctx.
func (m *Model) Each(ctx context.Context, g *Graph, count int, do func(ctx context.Context, i int) error) error {
	return m.parallel(ctx, m.Workers(g), count, do)
}

// EachWithSession calls do for 0 to count-1 with a session to run. Runs enough to keep
// every thread busy go on side by side, on one thread each: that brings a third
// more than sharing the threads between the operators of one run. Fewer share them.
func (m *Model) EachWithSession(ctx context.Context, g *Graph, count int, do func(ctx context.Context, session *ort.Session, i int) error) error {
	workers, open := m.Workers(g), g.Open
	onProcessor := m.Options.Provider == "" || m.Options.Provider == "cpu"
	if count >= m.Options.Threads && onProcessor {
		workers, open = m.Options.Threads, g.OpenSingle
	}
	session, err := open(ctx, m)
	if err != nil {
		return err
	}
	return m.parallel(ctx, workers, count, func(ctx context.Context, i int) error { return do(ctx, session, i) })
}

// parallel calls do for 0 to count-1 with so many workers, each in its turn, until the
// first error, which it returns, or the end of ctx.
func (m *Model) parallel(ctx context.Context, workers, count int, do func(ctx context.Context, i int) error) error {
	return FanOut(ctx, workers, count, func(ctx context.Context, i int) error { return m.One(ctx, i, do) })
}

// FanOut calls do for 0 to count-1 with so many workers, until the first error, which
// it returns, or the end of ctx.
func FanOut(ctx context.Context, workers, count int, do func(ctx context.Context, i int) error) error {
	workers = min(count, workers)
	if workers <= 1 {
		for i := range count {
			if err := do(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range count {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
	return context.Cause(ctx)
}

// One calls do in its turn.
func (m *Model) One(ctx context.Context, i int, do func(ctx context.Context, i int) error) error {
	leave, err := m.Options.Turns.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return do(ctx, i)
}
