package server

import (
	"net/http"
	"strings"
	"testing"
)

func TestFloodsOfConnections(t *testing.T) {
	var c connections
	change := func(state http.ConnState, count int) {
		for range count {
			c.track(nil, state)
		}
	}
	for _, step := range []struct {
		state http.ConnState
		count int
		over  bool
	}{
		{http.StateNew, manyConnections - 1, false},
		{http.StateClosed, manyConnections - 1, false}, // as many as a busy day has
		{http.StateNew, 3 * manyConnections, false},
		{http.StateActive, 10, false},
		{http.StateClosed, 2 * manyConnections, false},
		{http.StateClosed, manyConnections / 2, true},
		{http.StateClosed, manyConnections / 2, false}, // told once
		{http.StateNew, manyConnections, false},
		{http.StateClosed, manyConnections, true},
	} {
		change(step.state, step.count)
		if over := c.floodOver(); over != step.over {
			t.Errorf("after %d times %v, %d open: over is %v", step.count, step.state, c.open.Load(), over)
		}
	}
	if open := c.open.Load(); open != 0 {
		t.Errorf("%d connections are still open", open)
	}
}

func TestOpenConnectionsAreMeasured(t *testing.T) {
	f := start(t)
	if got := f.get("/metrics"); !strings.Contains(string(got.body), "\nmekiki_connections_open 1\n") {
		t.Errorf("metrics %.2000s", got.body)
	}
}
