// Package gate admits a bounded number of requests at a time and sheds the rest.
//
//	leave, err := g.Enter(ctx) // waits for a slot; *gate.OverloadError when there is no hope of one
//	if err != nil {
//		return err
//	}
//	defer leave()
//
// golang.org/x/sync/semaphore bounds the work too, but its queue is endless and knows no overload: at eight times
// the load TestGatePolicy asks for, every request would wait its turn behind all the others. Here 99 % of those
// admitted are answered within twice the time that they take without overload, and the rest are told when to come
// again; docs/measurements/ has the figures under load.
package gate

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Gate admits a bounded number of requests at a time, lets a bounded number wait
// for a bounded time, and turns the rest away at once. A short burst may fill the
// queue; while there is more than it can do, only half a round may wait, and not
// for longer than one request takes, so that those admitted are answered in good
// time. Safe for concurrent use.
type Gate struct {
	slots        chan struct{}
	queue        int64
	queueTimeout time.Duration

	waiting atomic.Int64
	refused atomic.Int64
	// typical is a moving average of the time a request holds a slot, in
	// nanoseconds; it makes Retry-After mean something.
	typical atomic.Int64

	mutex sync.Mutex
	// queuedSince is since when the queue has not been empty, zero while it is;
	// lastRefused is when a request was last refused.
	queuedSince, lastRefused time.Time
}

// OverloadError says that a request was turned away.
type OverloadError struct {
	// RetryAfter is the time in which the present queue is likely to be gone.
	RetryAfter time.Duration
}

// Error says so.
func (e *OverloadError) Error() string {
	return fmt.Sprintf("the server is overloaded: try again in %s", e.RetryAfter)
}

// New makes a gate with slots for that many requests at a time and a queue for as many more, each of which waits for
// at most queueTimeout.
func New(slots, queue int, queueTimeout time.Duration) *Gate {
	return &Gate{slots: make(chan struct{}, slots), queue: int64(queue), queueTimeout: queueTimeout}
}

// Busy counts the requests at work.
func (g *Gate) Busy() int { return len(g.slots) }

// Slots is how many requests may be at work at a time.
func (g *Gate) Slots() int { return cap(g.slots) }

// Capacity is how many requests may be at work or wait at a time.
func (g *Gate) Capacity() int { return cap(g.slots) + int(g.queue) }

// Free is Capacity less the requests that are at work or wait.
func (g *Gate) Free() int { return max(0, g.Capacity()-g.Busy()-g.Waiting()) }

// Waiting counts the requests in the queue.
func (g *Gate) Waiting() int { return int(g.waiting.Load()) }

// Refused counts the requests that were turned away since the gate was made.
func (g *Gate) Refused() int { return int(g.refused.Load()) }

// Enter waits for a slot and gives the function that frees it, which is to be called once. The error is an
// [*OverloadError], or the context's.
func (g *Gate) Enter(ctx context.Context) (leave func(), err error) {
	select {
	case g.slots <- struct{}{}:
		return g.acquire(), nil
	default:
	}
	timeout, admitted := g.enqueue()
	if !admitted {
		return nil, g.refuse()
	}
	defer g.leaveQueue()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return g.acquire(), nil
	case <-timer.C:
		return nil, g.refuse()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// enqueue enters the queue, if there is a place, and tells how long to wait in it.
func (g *Gate) enqueue() (timeout time.Duration, admitted bool) {
	now := time.Now()
	g.mutex.Lock()
	defer g.mutex.Unlock()
	places, timeout := g.queue, g.queueTimeout
	if typical := time.Duration(g.typical.Load()); g.overloaded(now, typical) {
		places = min(places, max(1, int64(cap(g.slots)/2)))
		timeout = min(timeout, max(minQueueTimeout, typical))
	}
	if g.waiting.Load() >= places {
		return 0, false
	}
	if g.waiting.Add(1) == 1 {
		g.queuedSince = now
	}
	return timeout, true
}

// overloaded reports whether more has been asked for than can be done, lately and
// for longer than a burst. The caller holds the mutex.
func (g *Gate) overloaded(now time.Time, typical time.Duration) bool {
	span := max(minBurst, 2*typical)
	standing := !g.queuedSince.IsZero() && now.Sub(g.queuedSince) > span
	return standing || !g.lastRefused.IsZero() && now.Sub(g.lastRefused) < span
}

func (g *Gate) leaveQueue() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.waiting.Add(-1) == 0 {
		g.queuedSince = time.Time{}
	}
}

// acquire starts the clock of a slot that was taken, and gives the function that frees it.
func (g *Gate) acquire() (release func()) {
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

// refuse counts and describes a request that is turned away.
func (g *Gate) refuse() error {
	g.refused.Add(1)
	g.mutex.Lock()
	g.lastRefused = time.Now()
	g.mutex.Unlock()
	ahead := time.Duration(g.waiting.Load() + int64(len(g.slots)))
	return &OverloadError{RetryAfter: ahead * time.Duration(g.typical.Load()) / time.Duration(cap(g.slots))}
}
