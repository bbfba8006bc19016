package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// gate admits a bounded number of requests at a time, lets a bounded number wait
// for a bounded time, and turns the rest away at once. A short burst may fill the
// queue; while there is more than it can do, only half a round may wait, and not
// for longer than one request takes, so that those admitted are answered in good
// time. Safe for concurrent use.
type gate struct {
	slots    chan struct{}
	queue    int64
	patience time.Duration

	waiting atomic.Int64
	refused atomic.Int64
	// typical is a moving average of the time a request holds a slot, in
	// nanoseconds; it makes Retry-After mean something.
	typical atomic.Int64

	mutex sync.Mutex
	// queued is since when the queue has not been empty, zero while it is; strained
	// is when a request was last refused.
	queued, strained time.Time
}

// The least time after which a queue that never empties is overload rather than a
// burst, and the least that a request waits.
const (
	leastStanding = 100 * time.Millisecond
	leastPatience = 5 * time.Millisecond
)

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
	patience, admitted := g.join()
	if !admitted {
		return nil, g.refuse()
	}
	defer g.part()
	timer := time.NewTimer(patience)
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

// join enters the queue, if there is a place, and tells how long to wait in it.
func (g *gate) join() (patience time.Duration, admitted bool) {
	now := time.Now()
	g.mutex.Lock()
	defer g.mutex.Unlock()
	places, patience := g.queue, g.patience
	if typical := time.Duration(g.typical.Load()); g.overloaded(now, typical) {
		places = min(places, max(1, int64(cap(g.slots)/2)))
		patience = min(patience, max(leastPatience, typical))
	}
	if g.waiting.Load() >= places {
		return 0, false
	}
	if g.waiting.Add(1) == 1 {
		g.queued = now
	}
	return patience, true
}

// overloaded reports whether more has been asked for than can be done, lately and
// for longer than a burst. The caller holds the mutex.
func (g *gate) overloaded(now time.Time, typical time.Duration) bool {
	span := max(leastStanding, 2*typical)
	standing := !g.queued.IsZero() && now.Sub(g.queued) > span
	return standing || !g.strained.IsZero() && now.Sub(g.strained) < span
}

// part leaves the queue.
func (g *gate) part() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.waiting.Add(-1) == 0 {
		g.queued = time.Time{}
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
	g.mutex.Lock()
	g.strained = time.Now()
	g.mutex.Unlock()
	ahead := time.Duration(g.waiting.Load()+int64(len(g.slots))) * time.Duration(g.typical.Load()) / time.Duration(cap(g.slots))
	problem := newProblem(CodeTooManyRequests, "the server is overloaded")
	problem.retryAfter = min(60, 1+int(ahead/time.Second))
	return problem
}
