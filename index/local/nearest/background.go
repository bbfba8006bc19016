package nearest

import (
	"context"
	"sync"
)

// Background is the work that goes on while nobody waits for it.
type Background struct {
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mutex   sync.Mutex
	stopped bool
}

// NewBackground makes a place for work that nobody waits for.
func NewBackground() *Background {
	b := &Background{}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// Run does work in a goroutine of its own, unless all work was stopped, which it reports. The
// context ends with the library.
func (b *Background) Run(work func(ctx context.Context)) (begun bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.stopped {
		return false
	}
	b.group.Go(func() { work(b.ctx) })
	return true
}

// Stop ends all work and waits until it has ended.
func (b *Background) Stop() {
	b.mutex.Lock()
	b.stopped = true
	b.mutex.Unlock()
	b.cancel()
	b.group.Wait()
}

// Wait waits for the work that goes on.
func (b *Background) Wait() { b.group.Wait() }
