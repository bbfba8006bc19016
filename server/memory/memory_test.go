package memory

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held, released, idle := uint64(100<<20), 0, false
		r := &Releaser{
			idle:    func() bool { return idle },
			held:    func() uint64 { return held },
			release: func() { released++; held = 40 << 20 },
		}
		go r.Watch(t.Context())
		for _, step := range []struct {
			held     uint64
			idle     bool
			released int
		}{
			{500 << 20, false, 0}, // at work
			{500 << 20, true, 1},
			{50 << 20, true, 1}, // too little to be worth it
			{104 << 20, true, 1},
			{105 << 20, true, 2},
		} {
			held, idle = step.held, step.idle
			time.Sleep(Tick)
			synctest.Wait()
			if released != step.released {
				t.Errorf("%+v: released %d times", step, released)
			}
		}
	})
	if real := held(); real < 1<<20 || real > 1<<40 {
		t.Errorf("this process holds %d bytes", real)
	}
}
