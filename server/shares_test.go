package server

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/server/auth"
	"mekiki/server/problem"
)

// share makes a link to a collection of picture 1, and gives its secret.
func (g *guarded) share(t *testing.T, options string) string {
	t.Helper()
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":["1"],"add_collections":["Summer 2024"],"add_tags":["private"]}`, g.admin()), 200, "")
	made := g.expect(g.json("POST", "/api/v1/shares", `{"collection":"Summer 2024"`+options+`}`, bearer(g.secrets[auth.ScopeWrite])), 201, "")
	_, secret, found := strings.Cut(made.text(t, "link"), "/#share=")
	if !found || secret == "" {
		t.Fatalf("%s", made.body)
	}
	return secret
}

// TestShareShowsItsCollection: what a link shows is the collection and nothing else, and it shows it in no request for anything else.
func TestShareShowsItsCollection(t *testing.T) {
	g := startGuarded(t)
	visitor := bearer(g.share(t, ""))
	all := g.get("/api/v1/records", g.admin()).text(t, "total")
	listed := g.expect(g.get("/api/v1/records", visitor), 200, "")
	if listed.text(t, "total") != "1" || all == "1" {
		t.Errorf("%s of %s: %s", listed.text(t, "total"), all, listed.body)
	}
	for _, told := range []string{g.root, "private", "Summer"} {
		if told != "" && bytes.Contains(listed.body, []byte(told)) {
			t.Errorf("the list tells %q: %s", told, listed.body)
		}
	}
	for path, status := range map[string]int{
		"/api/v1/records/1": 200, "/api/v1/records/2": 404, "/api/v1/records/1/thumbnail": 200, "/api/v1/records/2/thumbnail": 404,
		"/api/v1/records/2/renditions/1600": 404, "/api/v1/records/1/original": 403, "/api/v1/records/2/original": 403, "/api/v1/records/2/tiles": 404,
		"/api/v1/layout": 200, "/api/v1/search?q=red": 200, "/api/v1/status": 403, "/api/v1/facets": 403, "/api/v1/suggestions?text=a": 403,
		"/api/v1/collections": 403, "/api/v1/tags": 403, "/api/v1/people": 403, "/api/v1/jobs": 403, "/api/v1/failures": 403, "/api/v1/trash": 403,
		"/api/v1/saved-searches": 403, "/api/v1/duplicates": 403, "/api/v1/tokens": 403, "/api/v1/shares": 403, "/api/v1/texts": 403, "/metrics": 403,
		"/api/v1/records/1/similar": 403, "/api/v1/models": 403, "/api/v1/spaces": 403,
	} {
		if got := g.get(path, visitor); got.StatusCode != status {
			t.Errorf("%s: %d, expected %d: %s", path, got.StatusCode, status, got.body)
		}
	}
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":["1"]}`, visitor), 403, problem.Forbidden)
	for _, query := range []string{"tag=private", "folder=a", "collection=Other", "person=Ada", "camera=x", "rating=1-5"} {
		if got := g.get("/api/v1/records?"+query, visitor); got.StatusCode == 200 && got.text(t, "total") != "0" {
			t.Errorf("?%s is answered: %s", query, got.body)
		}
	}
	found := g.expect(g.get("/api/v1/search?q=red&limit=100&show=all", visitor), 200, "")
	full := g.expect(g.get("/api/v1/search?q=red&limit=100&show=all", g.admin()), 200, "")
	if hits := strings.Count(string(found.body), `"rank":`); hits == 0 || hits > 1 || strings.Count(string(full.body), `"rank":`) <= hits {
		t.Errorf("%d hits: %s\nof: %s", hits, found.body, full.body)
	}
	// Nobody has the language model write for strangers: answers take seconds of it each.
	for _, got := range []answer{
		g.get("/api/v1/search?q="+url.QueryEscape(`red ask:"how many?"`), visitor), g.json("POST", "/api/v1/search", `{"text":"ask:\"is it red?\"=yes"}`, visitor),
		g.get("/api/v1/search?q="+url.QueryEscape(`ask:"how many?"`), visitor, header("Accept", "text/event-stream")),
	} {
		g.expect(got, 403, problem.Forbidden)
	}
	// What is asked for with a link is not remembered for those who see everything, and the other way round.
	if again := g.get("/api/v1/search?q=red&limit=100&show=all", visitor); again.text(t, "total") != found.text(t, "total") {
		t.Errorf("now: %s", again.body)
	}
}

// TestSharesWithMore: details and originals are shown where the link is made so, and sign in as tokens do.
func TestSharesWithMore(t *testing.T) {
	g := startGuarded(t)
	secret := g.share(t, `,"details":true,"originals":true`)
	g.expect(g.get("/api/v1/records/1/original", bearer(secret)), 200, "")
	g.expect(g.get("/api/v1/records/2/original", bearer(secret)), 404, problem.NotFound)
	if got := g.get("/api/v1/records?tag=private", bearer(secret)); got.text(t, "total") != "1" {
		t.Errorf("%s", got.body)
	}
	signed := g.expect(g.json("POST", "/api/v1/session", `{"token":"`+secret+`"}`), 200, "")
	if signed.text(t, "share.collection") != "Summer 2024" || signed.text(t, "scopes.0") != "share" || signed.text(t, "share.shows.1") != "originals" {
		t.Errorf("%s", signed.body)
	}
	cookie := signed.Cookies()[0]
	signedIn := func(request *http.Request) { request.AddCookie(cookie) }
	if got := g.expect(g.get("/api/v1/records", signedIn), 200, ""); got.text(t, "total") != "1" {
		t.Errorf("%s", got.body)
	}
	g.clock.pass(31 * 24 * time.Hour)
	g.expect(g.get("/api/v1/records", bearer(secret)), 401, problem.Unauthorized)
	g.expect(g.get("/api/v1/records", signedIn), 401, problem.Unauthorized)
}

// TestSharesAreListedAndEnded: their links are told once, tokens are not among them, and one that is ended shows nothing.
func TestSharesAreListedAndEnded(t *testing.T) {
	g := startGuarded(t)
	writer := bearer(g.secrets[auth.ScopeWrite])
	secret := g.share(t, fmt.Sprintf(`,"expires":%q`, g.clock.now().Add(time.Hour).Format(time.RFC3339)))
	listed := g.expect(g.get("/api/v1/shares?collection=Summer%202024", writer), 200, "")
	if listed.text(t, "total") != "1" || bytes.Contains(listed.body, []byte(secret)) || strings.Contains(string(readFile(t, g.path)), secret) {
		t.Errorf("%s", listed.body)
	}
	if tokens := g.get("/api/v1/tokens", g.admin()); tokens.text(t, "total") != "3" {
		t.Errorf("%s", tokens.body)
	}
	for body, code := range map[string]problem.Code{
		`{"collection":"None"}`: problem.NotFound, `{"collection":"Sümmer 2024"}`: problem.NotFound, `{}`: problem.InvalidRequest, `{"collection":"Summer 2024","expires":"2001-01-01T00:00:00Z"}`: problem.InvalidRequest,
	} {
		g.expect(g.json("POST", "/api/v1/shares", body, writer), code.Status(), code)
	}
	g.expect(g.json("POST", "/api/v1/shares", `{"collection":"Summer 2024"}`, bearer(g.secrets[auth.ScopeRead])), 403, problem.Forbidden)
	g.expect(g.send(g.request("DELETE", "/api/v1/shares/reader", nil, writer)), 404, problem.NotFound)
	g.expect(g.send(g.request("DELETE", "/api/v1/shares/"+listed.text(t, "shares.0.name"), nil, writer)), 204, "")
	g.expect(g.get("/api/v1/records", bearer(secret)), 401, problem.Unauthorized)
	open := start(t)
	open.expect(open.json("POST", "/api/v1/shares", `{"collection":"x"}`), 404, problem.NotFound)
}

// TestSharesFollowTheirCollection: a link shows a collection that was renamed, and again when that is undone; it does not come
// to show another one that the pictures went into, nor a new one of the old name.
func TestSharesFollowTheirCollection(t *testing.T) {
	g := startGuarded(t)
	visitor := bearer(g.share(t, ""))
	sees := func(what, want string) {
		t.Helper()
		if got := g.expect(g.get("/api/v1/records", visitor), 200, ""); got.text(t, "total") != want {
			t.Errorf("%s: %s", what, got.body)
		}
	}
	rename := func(from, to string) string {
		t.Helper()
		return g.expect(g.json("POST", "/api/v1/collections/"+url.PathEscape(from), `{"name":"`+to+`"}`, g.admin()), 200, "").text(t, "undo")
	}
	undo := rename("Summer 2024", "Summer in Oslo")
	sees("renamed", "1")
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":["2"],"add_collections":["Summer 2024"]}`, g.admin()), 200, "")
	sees("another one has the old name", "1")
	if got := g.get("/api/v1/records", visitor); !strings.Contains(string(got.body), `"id":"1"`) {
		t.Errorf("%s", got.body)
	}
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":["2"],"remove_collections":["Summer 2024"]}`, g.admin()), 200, "")
	g.expect(g.json("POST", "/api/v1/undo/"+undo, "", g.admin()), 200, "")
	sees("undone", "1")
	undo = rename("Summer 2024", "Private")
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":["2"],"add_collections":["summer 2024"]}`, g.admin()), 200, "")
	again := g.expect(g.json("POST", "/api/v1/undo/"+undo, "", g.admin()), 200, "").text(t, "undo")
	sees("undone, into another one of the old name", "0")
	g.expect(g.json("POST", "/api/v1/undo/"+again, "", g.admin()), 200, "")
	sees("and that undone", "1")
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":["2"],"remove_collections":["Summer 2024"]}`, g.admin()), 200, "")
	rename("Private", "Summer 2024")
	sees("named as before", "1")
	rename("summer 2024", "SUMMER 2024")
	sees("in capitals", "1")
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":["2"],"add_collections":["Mine"]}`, g.admin()), 200, "")
	rename("SUMMER 2024", "mine")
	sees("one with another", "0")
	if kept := string(readFile(t, g.path)); strings.Contains(kept, "=mine") || !strings.Contains(kept, "collection=SUMMER+2024") {
		t.Errorf("%s", kept)
	}
}

// TestSharesAndEverythingApart: neither is answered with what was found for the other, however far down it reads.
func TestSharesAndEverythingApart(t *testing.T) {
	g := startGuarded(t)
	visitor := bearer(g.share(t, ""))
	const search, further = "/api/v1/search?q=red&limit=1&show=all", "/api/v1/search?q=red&limit=1&show=all&offset=1"
	full := g.expect(g.get(search, g.admin()), 200, "")
	if got := g.expect(g.get(further, visitor), 200, ""); got.text(t, "candidates") != "1" || full.text(t, "candidates") == "1" {
		t.Errorf("a visitor is told of %s candidates, of %s: %s", got.text(t, "candidates"), full.text(t, "candidates"), got.body)
	}
	// The cursor of one belongs to no query of the other.
	if cursor := full.text(t, "cursor"); cursor == "<nil>" {
		t.Errorf("no cursor: %s", full.body)
	} else {
		g.expect(g.get(search+"&cursor="+cursor, visitor), 400, "invalid_cursor")
	}
	g.expect(g.get("/api/v1/search?q=sofa&show=all", visitor), 200, "")
	if got := g.expect(g.get("/api/v1/search?q=sofa&show=all&offset=1", g.admin()), 200, ""); got.text(t, "candidates") == "1" {
		t.Errorf("all of the library is searched where a visitor did: %s", got.body)
	}
}

// TestSharesArePagedThrough: a visitor comes by every picture once, also where the dates are those of files.
func TestSharesArePagedThrough(t *testing.T) {
	g := startGuarded(t)
	var batch index.Batch
	for i := range 9 {
		// The first file that comes in is the newest, so that the order of dates is not that of coming in.
		batch.Puts = append(batch.Puts, index.Put{Record: index.Record{
			Kind: index.KindImage, Hash: index.Hash{byte(i + 1)}, Format: "jpeg", Width: 1, Height: 1,
			Files: []index.File{{Path: fmt.Sprintf("/pictures/%d.jpg", i), Modified: time.Date(2020-i, 1, 1, 0, 0, 0, 0, time.UTC)}},
		}})
	}
	written, err := g.index.Write(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, id := range written.IDs {
		ids = append(ids, `"`+id.String()+`"`)
	}
	g.expect(g.json("POST", "/api/v1/edits", `{"ids":[`+strings.Join(ids, ",")+`],"add_collections":["Summer 2024"]}`, g.admin()), 200, "")
	visitor := bearer(g.share(t, ""))
	for _, order := range []string{"date_descending", "date_ascending", "added_descending"} {
		seen, cursor := map[string]bool{}, ""
		for range 10 {
			page := g.expect(g.get("/api/v1/records?limit=1&sort="+order+"&cursor="+cursor, visitor), 200, "")
			if id := page.text(t, "records.0.id"); seen[id] {
				t.Errorf("%s: picture %s comes again", order, id)
			} else {
				seen[id] = true
			}
			next, more := page.at(t, "cursor").(string)
			if cursor = next; !more {
				break
			}
		}
		if len(seen) != 10 || cursor != "" {
			t.Errorf("%s: %d pictures of 10", order, len(seen))
		}
	}
}
