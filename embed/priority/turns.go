package priority

import (
	"context"
	"sync"
	"time"
)

type backgroundKey struct{}

// Background marks work that can wait, such as filling a library: between two
// images or texts of it, the engine lets all other work go first.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

// IsBackground reports whether Background marked ctx or what it comes from.
func IsBackground(ctx context.Context) bool { return ctx.Value(backgroundKey{}) != nil }

// Turns decides which work goes first: searches before the next token of an answer, and both before background work. Work
// that has begun is not stopped. The zero value is ready to use; it must not be copied.
type Turns struct {
	mutex             sync.Mutex
	searches, answers crowd
}

// crowd counts work of one kind.
type crowd struct {
	count int
	gone  chan struct{} // closed when count falls to zero; nil while it is
}

// Enter waits its turn and returns what to call afterwards.
func (t *Turns) Enter(ctx context.Context) (leave func(), err error) {
	return t.join(ctx, &t.searches)
}

// EnterAnswer is enter of a whole answer, which step lets searches interrupt.
func (t *Turns) EnterAnswer(ctx context.Context) (leave func(), err error) {
	return t.join(ctx, &t.answers)
}

func (t *Turns) join(ctx context.Context, c *crowd) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if IsBackground(ctx) {
		return func() {}, t.wait(ctx, longestWait, &t.searches, &t.answers)
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if c.count == 0 {
		c.gone = make(chan struct{})
	}
	c.count++
	return func() { t.leave(c) }, nil
}

func (t *Turns) leave(c *crowd) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	c.count--
	if c.count == 0 {
		close(c.gone)
		c.gone = nil
	}
}

// Step waits for the turn of an answer's next token.
func (t *Turns) Step(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if IsBackground(ctx) {
		return t.wait(ctx, longestWait, &t.searches, &t.answers)
	}
	return t.wait(ctx, longestStepWait, &t.searches)
}

// wait waits until none of the crowds is there, but no longer than most.
func (t *Turns) wait(ctx context.Context, most time.Duration, crowds ...*crowd) error {
	var timeout *time.Timer
	for {
		gone := t.present(crowds)
		if gone == nil {
			return nil
		}
		if timeout == nil {
			timeout = time.NewTimer(most)
			defer timeout.Stop()
		}
		select {
		case <-gone:
		case <-timeout.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// present returns what is closed when the first crowd that is there has gone, or nil.
func (t *Turns) present(crowds []*crowd) chan struct{} {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, c := range crowds {
		if c.gone != nil {
			return c.gone
		}
	}
	return nil
}
