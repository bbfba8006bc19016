package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mekiki/search/contract"
	"mekiki/server/jobs"
	"mekiki/server/problem"
)

// event is one server-sent event.
type event struct{ name, data string }

// events reads a whole stream and holds every event against the document.
func (f *fixture) events(request *http.Request) []event {
	f.Helper()
	request.Header.Set("Accept", "text/event-stream")
	got := f.send(request)
	if kind := got.Header.Get("Content-Type"); kind != "text/event-stream" {
		f.Fatalf("media type %s: %s", kind, got.body)
	}
	schemas := map[string]string{"result": "SearchAnswer", "problem": "Problem", "progress": "Job", "answer": "Answer", "map": "ImageMap"}
	var list []event
	scanner := bufio.NewScanner(strings.NewReader(string(got.body)))
	for scanner.Scan() {
		line := scanner.Text()
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			list = append(list, event{name: name})
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			list[len(list)-1].data = data
			schema := schemas[list[len(list)-1].name]
			if list[len(list)-1].name == "done" && data != "{}" {
				schema = "Job"
			}
			decoder := json.NewDecoder(strings.NewReader(data))
			decoder.UseNumber()
			var value any
			if err := decoder.Decode(&value); err != nil {
				f.Fatal(err)
			}
			if schema != "" {
				if f.document.Schema(schema) == nil {
					f.Fatalf("the document has no schema %s", schema)
				}
				for _, violation := range f.document.Schema(schema).ValidateStrict(value) {
					f.Errorf("event %v: %s %s", list[len(list)-1], violation.Field, violation.Detail)
				}
			}
		}
	}
	return list
}

func names(list []event) string {
	var text []string
	for _, each := range list {
		text = append(text, each.name)
	}
	return strings.Join(text, " ")
}

func TestSearchStream(t *testing.T) {
	f := start(t)
	got := f.events(f.request("GET", "/api/v1/search?q=two+cats", nil))
	if names(got) != "result result done" || !strings.Contains(got[0].data, `"stage":"first"`) || !strings.Contains(got[1].data, `"stage":"reranked"`) {
		t.Errorf("events %v", got)
	}
	body, kind := formOf(t, map[string]string{"image": string(jpegOf(9, 9)), "request": `{"text":"x"}`})
	got = f.events(f.request("POST", "/api/v1/search", body, header("Content-Type", kind)))
	if names(got) != "result result done" {
		t.Errorf("events %v", got)
	}

	// An error before the first answer is the answer.
	f.expect(f.get("/api/v1/search", header("Accept", "text/event-stream")), 400, problem.Code(contract.CodeEmptyRequest))
	// A later one ends the stream.
	f.searcher.streaming = errors.New("a secret")
	got = f.events(f.request("GET", "/api/v1/search?q=x", nil))
	if names(got) != "result problem" || strings.Contains(got[1].data, "secret") || !strings.Contains(got[1].data, `"code":"internal"`) {
		t.Errorf("events %v", got)
	}
	// A type that is refused outright is not sent.
	plain := f.get("/api/v1/search?q=x", header("Accept", "application/json, text/event-stream;q=0"))
	if plain.Header.Get("Content-Type") != "application/json" {
		t.Errorf("media type %s", plain.Header.Get("Content-Type"))
	}
}

// TestSearchEndsWithItsClient: a client that goes away ends the work done for it.
func TestSearchEndsWithItsClient(t *testing.T) {
	f := start(t)
	began, ended := make(chan struct{}), make(chan error, 1)
	f.searcher.before = func(ctx context.Context) error {
		close(began)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		response, err := f.client.Do(f.request("GET", "/api/v1/search?q=x", nil).WithContext(ctx))
		if err == nil {
			response.Body.Close()
		}
	}()
	<-began
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the search went on")
	}
	<-gone
}

func TestDeadline(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.SearchTime = 20 * time.Millisecond })
	f.searcher.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	got := f.expect(f.get("/api/v1/search?q=x"), 503, problem.Timeout)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestJobs(t *testing.T) {
	f := start(t)
	proceed := make(chan struct{})
	f.ingester.before = func(ctx context.Context) error {
		select {
		case <-proceed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	first := f.expect(f.json("POST", "/api/v1/jobs", `{}`), 202, "")
	if first.Header.Get("Location") != "/api/v1/jobs/1" || first.text(t, "paths.0") != f.root {
		t.Errorf("job %s", first.body)
	}
	second := f.expect(f.json("POST", "/api/v1/jobs", `{"paths":["`+f.root+`/Picture 1.jpg"]}`), 202, "").text(t, "id")
	third := f.expect(f.json("POST", "/api/v1/jobs", `{}`), 202, "").text(t, "id")
	if got := f.expect(f.send(f.request("DELETE", "/api/v1/jobs/"+third, nil)), 202, ""); got.text(t, "state") != "cancelled" {
		t.Errorf("a queued job that was cancelled: %s", got.body)
	}
	go func() {
		waitFor(t, func() bool { return f.server.streams.Busy() == 1 })
		proceed <- struct{}{}
		proceed <- struct{}{}
	}()
	got := f.events(f.request("GET", "/api/v1/jobs/1/events", nil))
	if last := got[len(got)-1]; last.name != "done" || got[0].name != "progress" || !strings.Contains(last.data, `"state":"succeeded"`) || !strings.Contains(last.data, `"done":2`) {
		t.Errorf("events %v", got)
	}
	if got := f.events(f.request("GET", "/api/v1/jobs/"+second+"/events", nil)); !strings.Contains(got[len(got)-1].data, `"done":1`) {
		t.Errorf("events %v", got)
	}
	fourth := f.json("POST", "/api/v1/jobs", `{}`).text(t, "id")
	waitFor(t, func() bool { return f.get("/api/v1/jobs/"+fourth).text(t, "state") == "running" })
	f.expect(f.send(f.request("DELETE", "/api/v1/jobs/"+fourth, nil)), 202, "")
	waitFor(t, func() bool { return f.get("/api/v1/jobs/"+fourth).text(t, "state") == "cancelled" })
	f.ingester.before = func(context.Context) error { return errors.New("secret disk") }
	fifth := f.json("POST", "/api/v1/jobs", `{}`).text(t, "id")
	waitFor(t, func() bool { return f.get("/api/v1/jobs/"+fifth).text(t, "state") == "failed" })
	if got := f.get("/api/v1/jobs/" + fifth); strings.Contains(string(got.body), "secret") || got.text(t, "error") == "" {
		t.Errorf("job %s", got.body)
	}
	f.ingester.before = func(context.Context) error { panic("no") }
	sixth := f.json("POST", "/api/v1/jobs", `{}`).text(t, "id")
	waitFor(t, func() bool { return f.get("/api/v1/jobs/"+sixth).text(t, "state") == "failed" })
	if list := f.get("/api/v1/jobs"); list.text(t, "jobs.0.id") != sixth || list.text(t, "roots.0") != f.root {
		t.Errorf("jobs %s", list.body)
	}
	f.expect(f.get("/api/v1/jobs/77"), 404, problem.NotFound)
	f.expect(f.get("/api/v1/jobs/77/events"), 404, problem.NotFound)
	f.expect(f.send(f.request("DELETE", "/api/v1/jobs/77", nil)), 404, problem.NotFound)
}

func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

// TestJobsStayUnderTheRoots asks for folders elsewhere, by name and by link.
func TestJobsStayUnderTheRoots(t *testing.T) {
	f := start(t)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(f.root, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(f.root+"-beside", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/etc", outside, f.root + "/..", f.root + "/../../etc", f.root + "-beside", filepath.Dir(f.root), f.root + "/link", f.root + "/link/", "/etc/shadow", "/no/such/thing"} {
		body, err := json.Marshal(map[string][]string{"paths": {f.root, path}})
		if err != nil {
			t.Fatal(err)
		}
		got := f.expect(f.json("POST", "/api/v1/jobs", string(body)), 403, problem.Forbidden)
		if got.text(t, "errors.0.field") != "paths[1]" {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	for _, path := range []string{"pictures", "./x", "~", "file:///etc", "http://127.0.0.1/", `C:\\`} {
		f.expect(f.json("POST", "/api/v1/jobs", `{"paths":["`+path+`"]}`), 400, problem.InvalidRequest)
	}
	f.expect(f.json("POST", "/api/v1/jobs", `{"paths":["`+f.root+`/missing"]}`), 400, problem.InvalidRequest)
	f.expect(f.json("POST", "/api/v1/jobs", `{"include":["[a"]}`), 400, problem.InvalidRequest)
	f.expect(f.json("POST", "/api/v1/jobs", `{"paths":["`+f.root+`/./Picture 1.jpg"]}`), 202, "")
}

func TestJobQueueIsBounded(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.Jobs = 2 })
	f.ingester.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	f.expect(f.json("POST", "/api/v1/jobs", `{}`), 202, "")
	waitFor(t, func() bool { return f.get("/api/v1/jobs/1").text(t, "state") == "running" })
	for range 2 {
		f.expect(f.json("POST", "/api/v1/jobs", `{}`), 202, "")
	}
	got := f.expect(f.json("POST", "/api/v1/jobs", `{}`), 429, problem.TooManyRequests)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	// Stopping the server ends the job at work and those that wait.
	if err := f.stop(); err != nil {
		t.Fatal(err)
	}
	for _, each := range f.server.jobs.All() {
		if each.State != jobs.Cancelled {
			t.Errorf("job %s is %s", each.ID, each.State)
		}
	}
}

// TestShutdownLetsRequestsFinish stops a server in the middle of a search and of
// a stream.
func TestShutdownLetsRequestsFinish(t *testing.T) {
	f := start(t)
	began, proceed := make(chan struct{}), make(chan struct{})
	f.searcher.before = func(context.Context) error { close(began); <-proceed; return nil }
	f.ingester.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	f.json("POST", "/api/v1/jobs", `{}`)
	status, followed := make(chan int, 1), make(chan []event, 1)
	go func() { status <- f.get("/api/v1/search?q=x").StatusCode }()
	go func() { followed <- f.events(f.request("GET", "/api/v1/jobs/1/events", nil)) }()
	<-began
	waitFor(t, func() bool { return f.server.streams.Busy() == 1 })
	stopped := make(chan error, 1)
	go func() { stopped <- f.stop() }()
	<-f.server.stopping
	close(proceed)
	if got := <-status; got != http.StatusOK {
		t.Errorf("the search ended with %d", got)
	}
	<-followed
	if err := <-stopped; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
