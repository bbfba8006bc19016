// Package memory gives memory back to the operating system when a server has nothing to do.
//
// The runtime does so by itself, but late: it collects an idle program every two minutes, and what is in pools outlives
// one collection. Of the 659 MB that sixteen large pictures had taken, a program that did nothing more still held 651 MB
// after 130 s and 389 MB after 240 s (71 MB after 250 s); with this package it holds 4 MB after 20 s. Beside a
// database or on a small machine that is memory which others could use; see docs/measurements/server.md.
package memory

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Releaser gives memory back when nothing is at work. Make it with [New].
type Releaser struct {
	idle func() bool
	// held gives the bytes that the runtime has of the system, and release lets go of what it can.
	held    func() uint64
	release func()
	// live gives the bytes in use after the last collection, and pace sets the share of them that
	// garbage may come to; both nil where the user has set it.
	live func() uint64
	pace func(percent int)

	percent int    // that was set last
	kept    uint64 // after the last release
}

// New makes a releaser; idle reports that nothing is at work.
func New(idle func() bool) *Releaser {
	r := &Releaser{idle: idle, held: held, release: release}
	if os.Getenv("GOGC") == "" {
		r.live, r.pace = live, func(percent int) { debug.SetGCPercent(percent) }
	}
	return r
}

// Watch looks at the memory until the context ends.
func (r *Releaser) Watch(ctx context.Context) {
	ticker := time.NewTicker(Tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.tidy()
		}
	}
}

// tidy releases memory if there is enough of it to be worth a collection.
func (r *Releaser) tidy() {
	if r.live != nil {
		if percent := percentOf(r.live()); percent != r.percent {
			r.pace(percent)
			r.percent = percent
		}
	}
	if r.idle() && r.held() > r.kept+slack {
		r.release()
		r.kept = r.held()
	}
}

// percentOf gives the share of what is in use that garbage may come to.
func percentOf(live uint64) int {
	return max(leastPercent, int(100*headroom/max(live, headroom)))
}

func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// held is what the runtime has mapped and not given back.
func held() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// release collects twice, since what is in pools outlives one collection.
func release() {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
}
