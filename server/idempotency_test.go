package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/server/auth"
	"mekiki/server/idempotency"
	"mekiki/server/problem"
)

func key(value string) func(*http.Request) { return header(idempotency.Header, value) }

// TestRepeatedRequests: what is sent again with its key is done once and answered alike; another request is refused, and
// what failed is tried again.
func TestRepeatedRequests(t *testing.T) {
	clock := newClock()
	f := start(t, func(o *Options) { o.Now = clock.now })
	const body = `{"ids":["1"],"add_tags":["once"]}`
	first := f.expect(f.json("POST", "/api/v1/edits", body, key(`"k1"`)), 200, "")
	f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1"],"remove_tags":["once"]}`), 200, "")
	again := f.expect(f.json("POST", "/api/v1/edits", body, key("k1")), 200, "")
	if string(again.body) != string(first.body) || again.Header.Get(idempotency.Replayed) != "true" || first.Header.Get(idempotency.Replayed) != "" {
		t.Errorf("again: %s %v, first %s", again.body, again.Header, first.body)
	}
	if strings.Contains(string(f.get("/api/v1/records/1").body), "once") {
		t.Error("it was done twice")
	}
	f.expect(f.json("POST", "/api/v1/edits", body+" ", key("k1")), 422, problem.IdempotencyKeyReused)
	f.expect(f.json("POST", "/api/v1/trash", body, key("k1")), 422, problem.IdempotencyKeyReused)

	token := first.text(t, "undo")
	undone := f.expect(f.json("POST", "/api/v1/undo/"+token, "", key("undo")), 200, "")
	if twice := f.expect(f.json("POST", "/api/v1/undo/"+token, "", key("undo")), 200, ""); string(twice.body) != string(undone.body) {
		t.Errorf("undone again: %s, first %s", twice.body, undone.body)
	}
	job := f.expect(f.json("POST", "/api/v1/jobs", `{}`, key("job")), 202, "")
	if same := f.expect(f.json("POST", "/api/v1/jobs", `{}`, key("job")), 202, ""); same.Header.Get("Location") != job.Header.Get("Location") {
		t.Errorf("a second job: %v", same.Header)
	}

	const missing = `{"ids":["99"],"favourite":true}`
	f.expect(f.json("POST", "/api/v1/edits", missing, key("k2")), 404, problem.NotFound)
	f.expect(f.json("POST", "/api/v1/edits", `{"ids":["2"],"favourite":true}`, key("k2")), 200, "")

	clock.pass(25 * time.Hour)
	if late := f.expect(f.json("POST", "/api/v1/edits", body, key("k1")), 200, ""); late.Header.Get(idempotency.Replayed) != "" {
		t.Error("a key is kept for ever")
	}
	for _, wrong := range []string{"", `""`, "a\tb", "ä", strings.Repeat("x", 256), `a"b`} {
		f.expect(f.json("POST", "/api/v1/edits", body, func(r *http.Request) { r.Header[idempotency.Header] = []string{wrong} }), 400, problem.InvalidRequest)
	}
	f.expect(f.json("POST", "/api/v1/edits", body, func(r *http.Request) { r.Header[idempotency.Header] = []string{"a", "b"} }), 400, problem.InvalidRequest)
}

// TestKeysAreTheCallersOwn: callers do not see each other's answers, and only so many keys of one are kept.
func TestKeysAreTheCallersOwn(t *testing.T) {
	list, secrets := tokens(t)
	f := start(t, func(o *Options) { o.Tokens = list })
	const body = `{"ids":["1"],"add_tags":["mine"]}`
	for _, scope := range []auth.Scope{auth.ScopeWrite, auth.ScopeAdmin} {
		if got := f.expect(f.json("POST", "/api/v1/edits", body, key("k"), bearer(secrets[scope])), 200, ""); got.Header.Get(idempotency.Replayed) != "" {
			t.Errorf("%v got another's answer", scope)
		}
	}
	f.expect(f.json("POST", "/api/v1/edits", body, key("k"), bearer(secrets[auth.ScopeRead])), 403, problem.Forbidden)
	for i := range 1001 {
		f.json("POST", "/api/v1/edits", `{"ids":["1"]}`, key(fmt.Sprint(i)), bearer(secrets[auth.ScopeWrite]))
	}
	if got := f.json("POST", "/api/v1/edits", body, key("k"), bearer(secrets[auth.ScopeWrite])); got.Header.Get(idempotency.Replayed) != "" {
		t.Error("more keys are kept than are said")
	}
	if got := f.json("POST", "/api/v1/edits", body, key("k"), bearer(secrets[auth.ScopeAdmin])); got.Header.Get(idempotency.Replayed) == "" {
		t.Error("one caller's keys push out another's")
	}
}

// TestKeysAreTheTokensOwn: a token that has another's name does not see its answers.
func TestKeysAreTheTokensOwn(t *testing.T) {
	g := startGuarded(t)
	const body = `{"ids":["1"],"add_tags":["mine"]}`
	for range 2 {
		made := g.expect(g.json("POST", "/api/v1/tokens", `{"name":"phone","scope":"write"}`, g.admin()), 201, "")
		if got := g.expect(g.json("POST", "/api/v1/edits", body, key("k"), bearer(made.text(t, "token"))), 200, ""); got.Header.Get(idempotency.Replayed) != "" {
			t.Error("the next token of this name got the answer of the one before")
		}
		g.expect(g.send(g.request("DELETE", "/api/v1/tokens/phone", nil, g.admin())), 204, "")
	}
}

// TestRepeatedAtOnce: of many requests with one key at a time, one is done.
func TestRepeatedAtOnce(t *testing.T) {
	f := start(t)
	var mutex sync.Mutex
	var fresh, states []string
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			got := f.json("POST", "/api/v1/jobs", `{}`, key("once"))
			mutex.Lock()
			defer mutex.Unlock()
			states = append(states, got.Status)
			if got.StatusCode == http.StatusAccepted && got.Header.Get(idempotency.Replayed) == "" {
				fresh = append(fresh, got.Header.Get("Location"))
			}
		})
	}
	group.Wait()
	if len(fresh) != 1 || slices.ContainsFunc(states, func(s string) bool { return s != "202 Accepted" && s != "409 Conflict" }) {
		t.Errorf("%d were done: %v", len(fresh), states)
	}
}

// TestKeysAreDocumented: the document names the header where it is heeded.
func TestKeysAreDocumented(t *testing.T) {
	f := start(t)
	for _, route := range f.server.routes() {
		route.Operation = f.document.Operation(route.Method, route.Path)
		named := false
		for _, parameter := range route.Operation.Parameters {
			named = named || parameter.Name == idempotency.Header
		}
		if named != idempotency.Applies(&route) {
			t.Errorf("%s: the document names the header: %v", route.Operation.ID, named)
		}
	}
}

// TestRateLimitHeaders: answers say how much more would be taken now.
func TestRateLimitHeaders(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.Reads, o.Limits.Searches, o.Limits.SearchQueue = 3, 1, 1 })
	read := f.get("/api/v1/records")
	if policy, left := read.Header.Get("RateLimit-Policy"), read.Header.Get("RateLimit"); policy != `"read";q=6;qu="concurrent-requests"` || left != `"read";r=5` {
		t.Errorf("policy %s, left %s", policy, left)
	}
	leave, err := f.server.searches.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	var refused answer
	for refused.Response == nil || refused.StatusCode == http.StatusOK {
		refused = f.get("/api/v1/search?q=cats")
	}
	f.expect(refused, 429, problem.TooManyRequests)
	if left := refused.Header.Get("RateLimit"); !strings.HasPrefix(left, `"search";r=0;t=`) || !strings.HasSuffix(left, "t="+refused.Header.Get("Retry-After")) {
		t.Errorf("left %s, Retry-After %s", left, refused.Header.Get("Retry-After"))
	}
}
