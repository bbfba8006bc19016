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

	"mekiki/search/contract"
	"mekiki/server/auth"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

func TestOverload(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.Searches, o.Limits.SearchQueue = 2, 2 })
	proceed := make(chan struct{})
	f.searcher.before = func(context.Context) error { <-proceed; return nil }
	var group sync.WaitGroup
	statuses := make(chan answer, 20)
	for range 20 {
		group.Go(func() { statuses <- f.get("/api/v1/search?q=x") })
	}
	waitFor(t, func() bool { return f.server.searches.Refused() == 16 })
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

// TestSlowBody: a body that trickles in is cut off and answered; the tests of transport say when.
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
	if err := connection.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(connection)
	if !bytes.Contains(data, []byte("408 Request Timeout")) || !bytes.Contains(data, []byte(`"code":"slow_request"`)) {
		t.Errorf("answer %q, %v", data, err)
	}
}

func TestLargeHeaders(t *testing.T) {
	f := start(t)
	got, err := f.client.Do(f.request("GET", "/healthz", nil, header("X-Filler", strings.Repeat("x", 2*transport.MaxHeaderBytes))))
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
	got := f.get("/api/v1/search?q=somethingprivate", bearer(secrets[auth.ScopeRead]))
	f.get("/api/v1/records/99", bearer(secrets[auth.ScopeRead]))
	f.searcher.before = func(context.Context) error {
		return &contract.Error{Code: contract.CodeUnknownFilter, Message: "there is no filter somethingprivate:"}
	}
	f.expect(f.get("/api/v1/search?q=somethingprivate:x", bearer(secrets[auth.ScopeRead])), 400, problem.Code(contract.CodeUnknownFilter))
	f.expect(f.get("/api/v1/search?somethingprivate=1", bearer(secrets[auth.ScopeRead])), 400, problem.InvalidRequest)
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
	for _, never := range []string{"somethingprivate", secrets[auth.ScopeRead]} {
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
	if got := f.expect(f.get("/readyz"), 503, problem.Unavailable); got.text(t, "detail") != failing.Error() {
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
	f.expect(f.get("/readyz"), 503, problem.Unavailable)
	f.expect(f.get("/api/v1/records/1"), 503, problem.Unavailable)
}
