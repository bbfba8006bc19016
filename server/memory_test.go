package server

import (
	"context"
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

func TestMemoryIsGivenBack(t *testing.T) {
	held, released, idle, over := uint64(100<<20), 0, false, false
	m := memory{
		idle:      func() bool { return idle },
		floodOver: func() bool { return over },
		held:      func() uint64 { return held },
		release:   func() { released++; held = 40 << 20 },
	}
	for _, step := range []struct {
		held       uint64
		idle, over bool
		released   int
	}{
		{500 << 20, false, false, 0}, // at work
		{500 << 20, true, false, 1},
		{50 << 20, true, false, 1}, // too little to be worth it
		{104 << 20, true, false, 1},
		{105 << 20, true, false, 2},
		{200 << 20, false, true, 3}, // the end of a flood is one, whatever is at work
	} {
		held, idle, over = step.held, step.idle, step.over
		if m.tidy(); released != step.released {
			t.Errorf("%+v: released %d times", step, released)
		}
	}
	if real := heldMemory(); real < 1<<20 || real > 1<<40 {
		t.Errorf("this process holds %d bytes", real)
	}
}

func TestIdle(t *testing.T) {
	f := start(t)
	if !f.server.idle() {
		t.Error("not idle at first")
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	f.searcher.before = func(context.Context) error { close(entered); <-leave; return nil }
	ended := make(chan struct{})
	go func() { defer close(ended); f.get("/api/v1/search?q=x") }()
	<-entered
	if f.server.idle() {
		t.Error("idle with a search at work")
	}
	close(leave)
	<-ended
	if !f.server.idle() {
		t.Error("not idle afterwards")
	}
}

func TestOpenConnectionsAreMeasured(t *testing.T) {
	f := start(t)
	if got := f.get("/metrics"); !strings.Contains(string(got.body), "\nmekiki_connections_open 1\n") {
		t.Errorf("metrics %.2000s", got.body)
	}
}
