package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mekiki/internal/vfs/vfstest"
	"mekiki/server/auth"
	"mekiki/server/problem"
)

// exchange sends raw bytes and reads the answer, leaving the sending direction open.
func (f *fixture) exchange(raw string) (*http.Response, []byte, net.Conn) {
	f.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(f.base, "http://"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		f.Fatal(err)
	}
	if _, err := io.WriteString(connection, raw); err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		f.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		f.Fatalf("%.60q: %v", raw, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		f.Fatalf("%.60q: %v", raw, err)
	}
	return response, body, connection
}

// TestProtocolErrorsAreProblems: also what net/http answers before a handler is asked has the one shape of errors.
func TestProtocolErrorsAreProblems(t *testing.T) {
	f := start(t)
	schema := f.document.Schema("Problem")
	for raw, want := range map[string]problem.Code{
		"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 40<<10) + "\r\n\r\n": problem.HeadersTooLarge,
		"nonsense\r\n\r\n":       problem.InvalidRequest,
		"GET / HTTP/1.1\r\n\r\n": problem.InvalidRequest,
		"GET / HTTP/1.1\r\nHost: localhost\r\nBad Header: 1\r\n\r\n":                                     problem.InvalidRequest,
		"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n":             problem.Unsupported,
		"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: more\r\n\r\n{}": problem.ExpectationFailed,
		"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n":                                                      problem.VersionNotSupported,
	} {
		response, body, _ := f.exchange(raw)
		var p problem.Problem
		if err := json.Unmarshal(body, &p); err != nil {
			t.Errorf("%.40q: %v: %q", raw, err, body)
			continue
		}
		if response.StatusCode != want.Status() || p.Code != want || response.Header.Get("Content-Type") != "application/problem+json" || p.Instance == "" {
			t.Errorf("%.40q: %d %s %s", raw, response.StatusCode, response.Header, body)
		}
		var value any
		if err := json.Unmarshal(body, &value); err != nil {
			t.Fatal(err)
		}
		value.(map[string]any)["status"] = json.Number(fmt.Sprint(response.StatusCode))
		if violations := schema.ValidateStrict(value); len(violations) > 0 {
			t.Errorf("%.40q: %v", raw, violations)
		}
	}
}

// TestMalformedBodies: a body whose chunks make no sense is the client's fault, as JSON and as a form.
func TestMalformedBodies(t *testing.T) {
	f := start(t)
	for _, kind := range []string{"application/json", "multipart/form-data; boundary=x"} {
		for name, chunk := range map[string]string{
			"not a number": "ZZ\r\n{}\r\n0\r\n\r\n", "negative": "-1\r\n{}\r\n0\r\n\r\n", "no line end": "2\r\n{}0\r\n\r\n",
			"too large a number": "11111111111111111\r\n{}\r\n0\r\n\r\n", "long extension": "2;" + strings.Repeat("x", 70<<10) + "\r\n{}\r\n0\r\n\r\n",
		} {
			response, body, _ := f.exchange("POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: " + kind + "\r\n\r\n" + chunk)
			if response.StatusCode != 400 || !strings.Contains(string(body), string(problem.InvalidRequest)) {
				t.Errorf("%s, %s: %d %s", kind, name, response.StatusCode, body)
			}
		}
	}
}

// TestRefusedRequestsAreAnsweredAtOnce: however slowly a body arrives that nobody reads, the answer does not wait for it, and
// the connection is closed. Without the bound each of these takes the three minutes that a connection may.
func TestRefusedRequestsAreAnsweredAtOnce(t *testing.T) {
	known, secrets := tokens(t)
	f := start(t, func(o *Options) { o.Tokens = known })
	read := "Authorization: Bearer " + secrets[auth.ScopeRead] + "\r\n"
	for head, want := range map[string]int{
		"POST /api/v1/search HTTP/1.1\r\n":                                       401,
		"POST /api/v1/jobs HTTP/1.1\r\n" + read:                                  403,
		"POST /api/v1/nope HTTP/1.1\r\n" + read:                                  404,
		"POST /api/v1/records/1 HTTP/1.1\r\n" + read:                             405,
		"POST /api/v1/search HTTP/1.1\r\nContent-Type: text/plain\r\n" + read:    415,
		"GET /api/v1/records/1 HTTP/1.1\r\n" + read:                              200,
		"POST /api/v1/search HTTP/1.1\r\nOrigin: http://evil.example\r\n" + read: 403,
	} {
		response, body, connection := f.exchange(head + "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
		if response.StatusCode != want || !response.Close {
			t.Errorf("%.40q: %d, closed: %v: %s", head, response.StatusCode, response.Close, body)
		}
		if _, err := io.ReadAll(connection); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%.40q: the connection stays open: %v", head, err)
		}
	}
}

// TestRefusedRequestsKeepTheirConnection: a refusal whose body came along costs no connection.
func TestRefusedRequestsKeepTheirConnection(t *testing.T) {
	f := start(t)
	response, _, _ := f.exchange("POST /api/v1/nope HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
	if response.StatusCode != 404 || response.Close {
		t.Errorf("status %d, closed: %v", response.StatusCode, response.Close)
	}
	response, _, _ = f.exchange("POST /api/v1/nope HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	if response.StatusCode != 404 {
		t.Errorf("who waits to be asked for the body: status %d", response.StatusCode)
	}
}

// TestFullDisk: the answer says that the disk is full and what to do, and the server goes on when there is room again.
func TestFullDisk(t *testing.T) {
	f := start(t)
	full := func(_ int64, operation vfstest.Operation) error {
		if operation.Verb == "write" || operation.Verb == "create" {
			return syscall.ENOSPC
		}
		return nil
	}
	f.disk(full)
	for _, got := range []answer{
		f.json("POST", "/api/v1/texts", `{"texts":[{"text":"a dog"}]}`),
		f.send(f.request("PUT", "/api/v1/records/1/tags/red", nil)),
		f.form("/api/v1/records", map[string]string{"image": string(jpegOf(33, 11))}),
		f.send(f.request("DELETE", "/api/v1/records/1", nil)),
	} {
		f.expect(got, 507, problem.InsufficientStorage)
		if got.text(t, "hint") == "<nil>" || got.text(t, "detail") == "<nil>" {
			t.Errorf("problem %s", got.body)
		}
	}
	f.disk(nil)
	f.expect(f.json("POST", "/api/v1/texts", `{"texts":[{"text":"a dog"}]}`), 200, "")
	f.expect(f.send(f.request("PUT", "/api/v1/records/1/tags/red", nil)), 200, "")
	f.expect(f.form("/api/v1/records", map[string]string{"image": string(jpegOf(33, 11))}), 201, "")
}

// TestVanishedRoot: the job names the folder that is gone; what it held stays.
func TestVanishedRoot(t *testing.T) {
	f := start(t)
	if err := os.Rename(f.root, filepath.Join(t.TempDir(), "away")); err != nil {
		t.Fatal(err)
	}
	id := f.expect(f.json("POST", "/api/v1/jobs", `{}`), 202, "").text(t, "id")
	f.get("/api/v1/jobs/" + id + "/events")
	got := f.get("/api/v1/jobs/" + id)
	if got.text(t, "state") != "failed" || !strings.Contains(got.text(t, "error"), f.root) {
		t.Errorf("job %s", got.body)
	}
	if got := f.get("/api/v1/status"); got.text(t, "images") != "2" {
		t.Errorf("status %s", got.body)
	}
}

// TestDrain: the server is not ready any more for as long as asked before it stops, and serves meanwhile.
func TestDrain(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.DrainTime = time.Hour })
	close(f.server.draining)
	f.expect(f.get("/readyz"), 503, problem.Unavailable)
	f.expect(f.get("/api/v1/search?q=x"), 200, "")
	if got := f.get("/api/v1/status"); got.text(t, "ready") != "false" || !strings.Contains(got.text(t, "reason"), "stopping") {
		t.Errorf("status %s", got.body)
	}
	f.server.draining, f.server.options.Limits.DrainTime = make(chan struct{}), 0 // for the end of the test
}

// brokenListener fails once it is told to.
type brokenListener struct {
	net.Listener
	failing chan struct{}
}

var errBrokenListener = errors.New("the network is gone")

func (l brokenListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	select {
	case <-l.failing:
		if err == nil {
			accepted.Close()
		}
		return nil, errBrokenListener
	default:
		return accepted, err
	}
}

// TestServingFails: Run ends with the error, and not before its handlers have.
func TestServingFails(t *testing.T) {
	f := prepare(t)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := brokenListener{inner, make(chan struct{})}
	entered, finished := make(chan struct{}), false
	f.searcher.before = func(context.Context) error {
		close(entered)
		<-listener.failing
		// Run, which knows by now, must wait for this.
		<-f.server.stopping
		finished = true
		return nil
	}
	ended := make(chan error, 1)
	go func() { ended <- f.server.serve(t.Context(), listener, nil) }()
	asked := make(chan error, 1)
	go func() {
		response, err := http.Get("http://" + inner.Addr().String() + "/api/v1/search?q=x")
		if err == nil {
			err = response.Body.Close()
		}
		asked <- err
	}()
	<-entered
	close(listener.failing)
	inner.Close()
	if err := <-ended; !errors.Is(err, errBrokenListener) {
		t.Errorf("ended with %v", err)
	}
	if !finished {
		t.Error("a handler was still at work")
	}
	if err := <-asked; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}
