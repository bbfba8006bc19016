package embed

import (
	"context"
	"sync"
	"time"

	"mekiki/embed/ort"
)

// singleThreadWork is the work, in multiply-adds, below which one run does better on one
// thread, and several runs side by side.
const singleThreadWork = 300e6

// singleThreaded reports whether the graph runs on one thread.
func (g *graph) singleThreaded() bool { return g.Work < singleThreadWork }

// each calls do for 0 to count-1, in parallel where the graph runs on one thread, until
// the first error, which it returns, or the end of ctx.
func (e *Engine) each(ctx context.Context, g *graph, count int, do func(ctx context.Context, i int) error) error {
	return e.parallel(ctx, e.workers(g), count, do)
}

// eachWithSession calls do for 0 to count-1 with a session to run. Runs enough to keep
// every thread busy go on side by side, on one thread each: that brings a third
// more than sharing the threads between the operators of one run. Fewer share them.
func (e *Engine) eachWithSession(ctx context.Context, g *graph, count int, do func(ctx context.Context, session *ort.Session, i int) error) error {
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

// parallel calls do for 0 to count-1 with so many workers, until the first error,
// which it returns, or the end of ctx.
func (e *Engine) parallel(ctx context.Context, workers, count int, do func(ctx context.Context, i int) error) error {
	workers = min(count, workers)
	if workers <= 1 {
		for i := range count {
			if err := e.one(ctx, i, do); err != nil {
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
				if err := e.one(ctx, i, do); err != nil {
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

func (e *Engine) one(ctx context.Context, i int, do func(ctx context.Context, i int) error) error {
	leave, err := e.gate.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return do(ctx, i)
}

type backgroundKey struct{}

// Background marks work that can wait, such as filling a library: between two
// images or texts of it, the engine lets all other work go first.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

// longestWait is how long one piece of background work waits at most, so that
// a busy server still fills its library.
const longestWait = 2 * time.Second

// gate lets foreground work pass and background work wait for it.
type gate struct {
	mutex      sync.Mutex
	foreground int
	idle       chan struct{} // closed when foreground falls to zero; nil when idle
}

// enter waits its turn and returns what to call afterwards.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ctx.Value(backgroundKey{}) == nil {
		g.mutex.Lock()
		if g.foreground == 0 {
			g.idle = make(chan struct{})
		}
		g.foreground++
		g.mutex.Unlock()
		return g.leave, nil
	}
	timeout := time.NewTimer(longestWait)
	defer timeout.Stop()
	for {
		g.mutex.Lock()
		idle := g.idle
		g.mutex.Unlock()
		if idle == nil {
			return func() {}, nil
		}
		select {
		case <-idle:
		case <-timeout.C:
			return func() {}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (g *gate) leave() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.foreground--
	if g.foreground == 0 {
		close(g.idle)
		g.idle = nil
	}
}
