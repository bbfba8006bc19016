package local

import (
	"context"
	"sync"
)

// background is the work that goes on while nobody waits for it.
type background struct {
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mutex   sync.Mutex
	stopped bool
}

func newBackground() *background {
	b := &background{}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// run does work in a goroutine of its own, unless all work was stopped. The context
// ends with the library.
func (b *background) run(work func(ctx context.Context)) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if !b.stopped {
		b.group.Go(func() { work(b.ctx) })
	}
}

// stop ends all work and waits until it has ended.
func (b *background) stop() {
	b.mutex.Lock()
	b.stopped = true
	b.mutex.Unlock()
	b.cancel()
	b.group.Wait()
}
