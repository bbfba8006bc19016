package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/search"
)

func TestGate(t *testing.T) {
	g := newGate(2, 1, 50*time.Millisecond)
	ctx := context.Background()
	leaveFirst, err := g.enter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	leaveSecond, err := g.enter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	third := make(chan error, 1)
	go func() {
		leave, err := g.enter(ctx)
		if err == nil {
			leave()
		}
		third <- err
	}()
	for g.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := g.enter(ctx); codeOf(err) != CodeTooManyRequests {
		t.Errorf("the fourth: %v", err)
	}
	leaveFirst()
	if err := <-third; err != nil {
		t.Errorf("the third, after the first left: %v", err)
	}
	leaveThird, err := g.enter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.enter(ctx); codeOf(err) != CodeTooManyRequests {
		t.Errorf("out of patience: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := g.enter(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that is gone: %v", err)
	}
	leaveSecond()
	leaveThird()
	if len(g.slots) != 0 || g.waiting.Load() != 0 || g.refused.Load() != 2 {
		t.Errorf("left: %d busy, %d waiting, %d refused", len(g.slots), g.waiting.Load(), g.refused.Load())
	}
}

func codeOf(err error) Code {
	var problem *Problem
	errors.As(err, &problem)
	if problem == nil {
		return ""
	}
	return problem.Code
}

func TestOverload(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.Searches, o.Limits.SearchQueue = 2, 2 })
	proceed := make(chan struct{})
	f.searcher.before = func(context.Context) error { <-proceed; return nil }
	var group sync.WaitGroup
	statuses := make(chan answer, 20)
	for range 20 {
		group.Go(func() { statuses <- f.get("/api/v1/search?q=x") })
	}
	waitFor(t, func() bool { return f.server.searches.refused.Load() == 16 })
	// Everything else goes on meanwhile.
	f.expect(f.get("/api/v1/status"), 200, "")
	f.expect(f.get("/api/v1/records/1/thumbnail"), 200, "")
	close(proceed)
	group.Wait()
	close(statuses)
	count := map[int]int{}
	for got := range statuses {
		count[got.StatusCode]++
		if got.StatusCode == http.StatusTooManyRequests && got.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if count[200] != 4 || count[429] != 16 {
		t.Errorf("answers %v", count)
	}
	if metrics := string(f.get("/metrics").body); !strings.Contains(metrics, `mekiki_gate_refused_total{gate="search"} 16`) ||
		!strings.Contains(metrics, `mekiki_http_requests_total{method="GET",route="/api/v1/search",status="429"} 16`) {
		t.Error("the measurements do not tell of it")
	}
}

// TestSlowBody: a body that trickles in is cut off and holds nothing.
func TestSlowBody(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as a body may")
	}
	f := start(t)
	connection, err := net.Dial("tcp", strings.TrimPrefix(f.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST /api/v1/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
	began := time.Now()
	if err := connection.SetReadDeadline(began.Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(connection)
	if took := time.Since(began); took > bodyGrace+3*time.Second {
		t.Errorf("held for %s", took)
	}
	if !bytes.Contains(data, []byte("408 Request Timeout")) || !bytes.Contains(data, []byte(`"code":"slow_request"`)) {
		t.Errorf("answer %q, %v", data, err)
	}
}

func TestLargeHeaders(t *testing.T) {
	f := start(t)
	got, err := f.client.Do(f.request("GET", "/healthz", nil, header("X-Filler", strings.Repeat("x", 2*headerBytes))))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", got.StatusCode)
	}
}

// TestLog: each request leaves one line that names it, and no line says what
// people look for or with what token.
func TestLog(t *testing.T) {
	var buffer bytes.Buffer
	var mutex sync.Mutex
	list, secrets := tokens(t)
	f := start(t, func(o *Options) {
		o.Tokens = list
		o.Logger = slog.New(slog.NewJSONHandler(lockedWriter{&mutex, &buffer}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	got := f.get("/api/v1/search?q=somethingprivate", bearer(secrets[ScopeRead]))
	f.get("/api/v1/records/99", bearer(secrets[ScopeRead]))
	f.searcher.before = func(context.Context) error {
		return &search.Error{Code: search.CodeUnknownFilter, Message: "there is no filter somethingprivate:"}
	}
	f.expect(f.get("/api/v1/search?q=somethingprivate:x", bearer(secrets[ScopeRead])), 400, Code(search.CodeUnknownFilter))
	f.expect(f.get("/api/v1/search?somethingprivate=1", bearer(secrets[ScopeRead])), 400, CodeInvalidRequest)
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	mutex.Lock()
	defer mutex.Unlock()
	log := buffer.String()
	for _, want := range []string{`"request":"` + got.Header.Get("X-Request-ID"), `"caller":"reader"`, `"status":200`, `"code":"not_found"`, `"path":"/api/v1/search"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
	for _, never := range []string{"somethingprivate", secrets[ScopeRead]} {
		if strings.Contains(log, never) {
			t.Errorf("the log has %s", never)
		}
	}
}

type lockedWriter struct {
	mutex  *sync.Mutex
	writer io.Writer
}

func (w lockedWriter) Write(data []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.writer.Write(data)
}

func TestReadiness(t *testing.T) {
	failing := errors.New("the model is being compiled")
	var mutex sync.Mutex
	f := start(t, func(o *Options) {
		o.Ready = func(context.Context) error { mutex.Lock(); defer mutex.Unlock(); return failing }
	})
	f.expect(f.get("/healthz"), 200, "")
	if got := f.expect(f.get("/readyz"), 503, CodeUnavailable); got.text(t, "detail") != failing.Error() {
		t.Errorf("problem %s", got.body)
	}
	if got := f.get("/api/v1/status"); got.text(t, "ready") != "false" || got.text(t, "reason") != failing.Error() {
		t.Errorf("status %s", got.body)
	}
	mutex.Lock()
	failing = nil
	mutex.Unlock()
	f.expect(f.get("/readyz"), 200, "")
	if err := f.index.Close(); err != nil {
		t.Fatal(err)
	}
	f.expect(f.get("/readyz"), 503, CodeUnavailable)
	f.expect(f.get("/api/v1/records/1"), 503, CodeUnavailable)
}

// TestGateUnderOverload: a burst may fill the queue, what follows it finds half a
// round, and after a calm the queue is whole again.
func TestGateUnderOverload(t *testing.T) {
	g := newGate(4, 8, time.Minute)
	g.typical.Store(int64(10 * time.Second))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var group sync.WaitGroup
	var leaves []func()
	for range 4 {
		leave, err := g.enter(ctx)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	wait := func() {
		group.Go(func() {
			if leave, err := g.enter(ctx); err == nil {
				leave()
			}
		})
	}
	for range 8 {
		wait()
	}
	waitFor(t, func() bool { return g.waiting.Load() == 8 })
	if _, err := g.enter(ctx); codeOf(err) != CodeTooManyRequests {
		t.Fatalf("a full queue: %v", err)
	}
	if patience, admitted := g.join(); admitted || patience != 0 {
		t.Error("a ninth waits")
	}
	for _, leave := range leaves {
		leave()
	}
	group.Wait()
	// Strained a moment ago: two may wait, as long as a request takes.
	for n := range 3 {
		patience, admitted := g.join()
		if admitted != (n < 2) || admitted && patience > 10*time.Second {
			t.Errorf("waiter %d under strain: admitted %t for %s", n, admitted, patience)
		}
	}
	g.part()
	g.part()
	g.strained = time.Now().Add(-time.Hour)
	for n := range 9 {
		patience, admitted := g.join()
		if admitted != (n < 8) || admitted && patience != time.Minute {
			t.Errorf("waiter %d after a calm: admitted %t for %s", n, admitted, patience)
		}
	}
}
