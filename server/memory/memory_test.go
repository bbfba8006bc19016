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

// TestGarbageOfLargeHeapsIsBounded: small heaps are collected as ever, large ones before they have
// doubled.
func TestGarbageOfLargeHeapsIsBounded(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 100 << 20: 100, 512 << 20: 100, 1 << 30: 50, 2 << 30: 25, 40 << 30: 20} {
		if got := percentOf(live); got != want {
			t.Errorf("%d bytes in use: %d percent, want %d", live, got, want)
		}
	}
	var set []int
	r := &Releaser{idle: func() bool { return false }, held: held, live: func() uint64 { return 2 << 30 }, pace: func(percent int) { set = append(set, percent) }}
	r.tidy()
	r.tidy()
	if len(set) != 1 || set[0] != 25 {
		t.Errorf("set to %v", set)
	}
	if real := live(); real > 1<<40 {
		t.Errorf("%d bytes in use", real)
	}
}
