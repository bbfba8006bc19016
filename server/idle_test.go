package server

import (
	"context"
	"strings"
	"testing"
)

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
