package embed

import (
	"context"
	"sync"

	"mekiki/embed/ort"
)

// singleThreadWork is the work, in multiply-adds, below which one run does better on one
// thread, and several runs side by side.
const singleThreadWork = 300e6

// singleThreaded reports whether the graph runs on one thread.
func (g *graph) singleThreaded() bool { return g.Work < singleThreadWork }

// each calls do for 0 to count-1, in parallel where the graph runs on one thread, until
// the first error, which it returns, or the end of ctx.
func (e *core) each(ctx context.Context, g *graph, count int, do func(ctx context.Context, i int) error) error {
	return e.parallel(ctx, e.workers(g), count, do)
}

// eachWithSession calls do for 0 to count-1 with a session to run. Runs enough to keep
// every thread busy go on side by side, on one thread each: that brings a third
// more than sharing the threads between the operators of one run. Fewer share them.
func (e *core) eachWithSession(ctx context.Context, g *graph, count int, do func(ctx context.Context, session *ort.Session, i int) error) error {
	workers, open := e.workers(g), g.open
	onProcessor := e.options.Provider == "" || e.options.Provider == "cpu"
	if count >= e.options.Threads && onProcessor {
		workers, open = e.options.Threads, g.openSingle
	}
	session, err := open(ctx, e)
	if err != nil {
		return err
	}
	return e.parallel(ctx, workers, count, func(ctx context.Context, i int) error { return do(ctx, session, i) })
}

// parallel calls do for 0 to count-1 with so many workers, each in its turn, until the
// first error, which it returns, or the end of ctx.
func (e *core) parallel(ctx context.Context, workers, count int, do func(ctx context.Context, i int) error) error {
	return fanOut(ctx, workers, count, func(ctx context.Context, i int) error { return e.one(ctx, i, do) })
}

// fanOut calls do for 0 to count-1 with so many workers, until the first error, which
// it returns, or the end of ctx.
func fanOut(ctx context.Context, workers, count int, do func(ctx context.Context, i int) error) error {
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

func (e *core) one(ctx context.Context, i int, do func(ctx context.Context, i int) error) error {
	leave, err := e.options.Turns.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return do(ctx, i)
}
