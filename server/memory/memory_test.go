package memory

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var held atomic.Uint64
		var released atomic.Int64
		var idle atomic.Bool
		r := &Releaser{idle: idle.Load, held: held.Load, release: func() { released.Add(1); held.Store(40 << 20) }}
		go r.Watch(t.Context())
		for _, step := range []struct {
			held     uint64
			idle     bool
			released int64
		}{
			{500 << 20, false, 0}, // at work
			{500 << 20, true, 1},
			{50 << 20, true, 1}, // too little to be worth it
			{104 << 20, true, 1},
			{105 << 20, true, 2},
		} {
			held.Store(step.held)
			idle.Store(step.idle)
			time.Sleep(Tick)
			synctest.Wait()
			if released.Load() != step.released {
				t.Errorf("%+v: released %d times", step, released.Load())
			}
		}
	})
	if real := held(); real < 1<<20 || real > 1<<40 {
		t.Errorf("this process holds %d bytes", real)
	}
}
