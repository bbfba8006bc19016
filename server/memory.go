package server

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// A flood is manyConnections open at a time; it is over when a quarter of its peak or fewer are left.
	manyConnections = 1000
	floodShare      = 4
	// memoryTick is how often the memory is looked at, and memorySlack by how much it may have grown since it was last
	// given back.
	memoryTick  = 10 * time.Second
	memorySlack = 64 << 20
)

// connections counts the connections that are open. Safe for concurrent use.
type connections struct {
	open, peak atomic.Int64
}

// track is an [http.Server.ConnState].
func (c *connections) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		open := c.open.Add(1)
		for peak := c.peak.Load(); open > peak && !c.peak.CompareAndSwap(peak, open); peak = c.peak.Load() {
		}
	case http.StateClosed, http.StateHijacked:
		c.open.Add(-1)
	}
}

// floodOver reports, once for each flood, that it is over.
func (c *connections) floodOver() bool {
	peak, open := c.peak.Load(), c.open.Load()
	return peak >= manyConnections && open <= peak/floodShare && c.peak.CompareAndSwap(peak, open)
}

// memory gives memory back to the system when nothing is at work. The runtime by itself keeps what a large picture or a
// flood of connections took for as long as nothing else asks for memory, since without garbage there is no collection.
type memory struct {
	// idle reports that no request and no job is at work, and floodOver as [connections.floodOver].
	idle, floodOver func() bool
	// held gives the bytes that the runtime has of the system, and release lets go of what it can.
	held    func() uint64
	release func()

	kept uint64 // after the last release
}

// watch looks at the memory until the context ends.
func (m *memory) watch(ctx context.Context) {
	ticker := time.NewTicker(memoryTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.tidy()
		}
	}
}

// tidy releases memory if there is enough of it to be worth a collection.
func (m *memory) tidy() {
	grown := m.idle() && m.held() > m.kept+memorySlack
	if m.floodOver() || grown {
		m.release()
		m.kept = m.held()
	}
}

// heldMemory is what the runtime has mapped and not given back.
func heldMemory() uint64 {
	samples := []runtimemetrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	runtimemetrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// releaseMemory collects twice, since what is in pools outlives one collection.
func releaseMemory() {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
}

// idle reports that nothing is at work.
func (s *Server) idle() bool {
	for _, through := range s.gates() {
		if through.Busy() > 0 {
			return false
		}
	}
	return s.jobs.Running() == 0
}
