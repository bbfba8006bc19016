package server

import (
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A flood is manyConnections open at a time; it is over when a quarter of its peak or fewer are left.
const (
	manyConnections = 1000
	floodShare      = 4
	floodTick       = 10 * time.Second
)

// connections counts the connections that are open. After a flood it gives the memory that they took back to the
// system: the runtime by itself would keep it for several minutes, since without requests there is little garbage and so
// no collection. Safe for concurrent use.
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

// watch returns memory after each flood until the context ends.
func (c *connections) watch(ctx context.Context) {
	ticker := time.NewTicker(floodTick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if c.floodOver() {
				// What is in pools outlives one collection.
				debug.FreeOSMemory()
				debug.FreeOSMemory()
			}
		}
	}
}
