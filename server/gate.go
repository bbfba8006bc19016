package server

import (
	"context"
	"sync/atomic"
	"time"
)

// gate admits a bounded number of requests at a time, lets a bounded number wait
// for a bounded time, and turns the rest away at once. Safe for concurrent use.
type gate struct {
	slots    chan struct{}
	queue    int64
	patience time.Duration

	waiting atomic.Int64
	refused atomic.Int64
	// typical is a moving average of the time a request holds a slot, in
	// nanoseconds; it makes Retry-After mean something.
	typical atomic.Int64
}

func newGate(slots, queue int, patience time.Duration) *gate {
	return &gate{slots: make(chan struct{}, slots), queue: int64(queue), patience: patience}
}

// enter waits for a slot and gives the function that frees it. The error is a
// problem with CodeTooManyRequests, or the context's.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g.slots <- struct{}{}:
		return g.hold(), nil
	default:
	}
	if g.waiting.Add(1) > g.queue {
		g.waiting.Add(-1)
		return nil, g.refuse()
	}
	defer g.waiting.Add(-1)
	timer := time.NewTimer(g.patience)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return g.hold(), nil
	case <-timer.C:
		return nil, g.refuse()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *gate) hold() func() {
	began := time.Now()
	return func() {
		held := time.Since(began).Nanoseconds()
		if before := g.typical.Load(); before > 0 {
			held = before + (held-before)/8
		}
		g.typical.Store(held)
		<-g.slots
	}
}

// refuse counts and describes a request that is turned away. Retry-After is the
// time in which the present queue is likely to be gone.
func (g *gate) refuse() error {
	g.refused.Add(1)
	ahead := time.Duration(g.waiting.Load()+int64(len(g.slots))) * time.Duration(g.typical.Load()) / time.Duration(cap(g.slots))
	problem := newProblem(CodeTooManyRequests, "more requests are waiting than this server takes on")
	problem.retryAfter = min(60, 1+int(ahead/time.Second))
	return problem
}
