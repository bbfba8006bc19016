package transport

import (
	"net"
	"net/http"
	"sync/atomic"
)

// Connections counts the connections that are open. Safe for concurrent use.
type Connections struct{ open atomic.Int64 }

// Track is an [http.Server.ConnState].
func (c *Connections) Track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		c.open.Add(-1)
	}
}

// Open is how many connections are open.
func (c *Connections) Open() int { return int(c.open.Load()) }
