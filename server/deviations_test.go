package server

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode"

	"mekiki/index"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// TestSchemasSayWhatIsRefused: what the server refuses, the API document does not allow, so that a client that follows
// the document is not refused, and the refusal names the member once.
func TestSchemasSayWhatIsRefused(t *testing.T) {
	f := start(t)
	for query, field := range map[string]string{
		"after=0": "after", "before=yesterday": "before", "after=2024-13": "after", "after=2024-01-32": "after", "before=2024-01-01T25:00:00Z": "before",
		"explain=": "explain", "explain": "explain",
	} {
		got := f.expect(f.get("/api/v1/search?q=x&"+query), 400, problem.InvalidRequest)
		if got.text(t, "errors.0.field") != field || len(got.at(t, "errors").([]any)) != 1 {
			t.Errorf("%s: %s", query, got.body)
		}
	}
	for _, query := range []string{"after=", "after=2024", "after=2024-05", "before=2024-05-01", "before=2024-05-01T12:00:00.25%2B02:00", "explain=true", "explain=0"} {
		f.expect(f.get("/api/v1/search?q=x&"+query), 200, "")
	}
	for _, tag := range []string{"\u009b", "a\x00", "a\u202eb", "\u2066x", "%", ".", "..", " .. ", " ", "\u3000"} {
		want := 400
		if tag == "%" {
			want = 200
		}
		got := f.send(f.request("PUT", "/api/v1/records/1/tags/"+strings.ReplaceAll(url.PathEscape(tag), ".", "%2E"), nil))
		if got.StatusCode != want {
			t.Errorf("tag %q: status %d: %s", tag, got.StatusCode, got.body)
		}
	}
	for body, field := range map[string]string{
		`{"exclude":["",""]}`:     "exclude[0]",
		`{"exclude":["a\u001b"]}`: "exclude[0]",
	} {
		got := f.expect(f.json("POST", "/api/v1/jobs", body), 400, problem.InvalidRequest)
		if got.text(t, "errors.0.field") != field || strings.Count(got.text(t, "detail"), "must") != 1 {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	f.expect(f.json("POST", "/api/v1/labels", `{"record":"1","labels":["a\u0007"]}`), 400, problem.InvalidRequest)
	f.expect(f.json("POST", "/api/v1/labels", `{"record":"1","labels":["\u3000"]}`), 400, problem.InvalidRequest)
	f.expect(f.json("POST", "/api/v1/labels", `{"record":"1","labels":["a\tcat"],"template":"a {} of {}"}`), 400, problem.InvalidRequest)
	f.expect(f.json("POST", "/api/v1/labels", `{"record":"1","labels":["a\tcat"],"template":"a {}"}`), 200, "")
	f.expect(f.json("POST", "/api/v1/texts", `{"texts":[{"text":" \u00a0"}]}`), 400, problem.InvalidRequest)
}

// TestTagSchemaIsTheRule: the pattern of the schema Tag and cleanTag refuse the same tags.
func TestTagSchemaIsTheRule(t *testing.T) {
	f := prepare(t)
	schema := f.document.Schema("Tag")
	try := func(tag string) {
		t.Helper()
		_, err := wire.CleanTag("tag", tag)
		if violations := schema.Validate(tag); (len(violations) == 0) != (err == nil) {
			t.Errorf("%+q: the schema says %v, the rule %v", tag, violations, err)
		}
	}
	for r := rune(0); r < 0x3100; r++ {
		try(string(r))
		try("a" + string(r))
	}
	for _, tag := range []string{"", ".", "..", "...", ". .", " . ", ".. .", ".a", "..\u3000", "a", "日本", "\U0001f600", unicode.Version} {
		try(tag)
	}
}

// TestTagsThatAreThereCanBeRemoved: tags come from files and older versions too.
func TestTagsThatAreThereCanBeRemoved(t *testing.T) {
	f := start(t)
	if err := index.Tag(t.Context(), f.index, nil); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"a\u202eb", ".."} {
		if err := index.Tag(t.Context(), f.index, parsedIDs(t, "1"), tag); err != nil {
			t.Fatal(err)
		}
	}
	got := f.expect(f.send(f.request("DELETE", "/api/v1/records/1/tags/a%E2%80%AEb", nil)), 200, "")
	if got.text(t, "tags") != "[.. pet]" {
		t.Errorf("tags %s", got.text(t, "tags"))
	}
	f.expect(f.json("POST", "/api/v1/tags", `{"ids":["1"],"remove":[".."]}`), 200, "")
	if got := f.get("/api/v1/records/1"); got.text(t, "tags") != "[pet]" {
		t.Errorf("tags %s", got.text(t, "tags"))
	}
}

func TestWholeNumbersHaveManyForms(t *testing.T) {
	f := start(t)
	for _, limit := range []string{"1", "1.0", "1e0", "0.1e1"} {
		got := f.expect(f.json("POST", "/api/v1/search", `{"text":"picture","limit":`+limit+`,"show":"all"}`), 200, "")
		if hits := got.at(t, "hits").([]any); len(hits) > 1 {
			t.Errorf("limit %s: %d hits", limit, len(hits))
		}
		f.expect(f.get("/api/v1/search?q=picture&limit="+limit), 200, "")
	}
	f.expect(f.json("POST", "/api/v1/search", `{"text":"picture","limit":1.5}`), 400, problem.InvalidRequest)
	f.expect(f.json("POST", "/api/v1/search", `{"text":"picture","limit":1e-999999999}`), 400, problem.InvalidRequest)
}

func TestRepeatedMembersAreRefused(t *testing.T) {
	f := start(t)
	got := f.expect(f.json("POST", "/api/v1/search", `{"text":"a","text":"b"}`), 400, problem.InvalidRequest)
	if !strings.Contains(got.text(t, "detail"), `"text"`) {
		t.Errorf("problem %s", got.body)
	}
	f.expect(f.form("/api/v1/search", map[string]string{"request": `{"text":"a","filter":{"tags":[],"tags":["x"]}}`}), 400, problem.InvalidRequest)
}

// TestTextsHaveNoSimilarImages: the address names the record, and the error the address's part.
func TestTextsHaveNoSimilarImages(t *testing.T) {
	f := start(t)
	got := f.expect(f.get("/api/v1/records/3/similar"), 404, problem.NotFound)
	if got.text(t, "errors.0.field") != "id" || !strings.Contains(got.text(t, "detail"), "is a text") {
		t.Errorf("problem %s", got.body)
	}
	got = f.expect(f.get("/api/v1/records/99/similar"), 404, problem.NotFound)
	if got.text(t, "errors.0.field") != "id" {
		t.Errorf("problem %s", got.body)
	}
	f.expect(f.get("/api/v1/records/1/similar"), 200, "")
}

func TestRangesOfOriginals(t *testing.T) {
	f := start(t)
	whole := f.expect(f.get("/api/v1/records/1/original"), 200, "").body
	for header, want := range map[string]int{
		"bytes=0-1": 206, "bytes=-1": 206, "bytes=-0": 416, "bytes= -00": 416, "bytes=-0,0-0": 206, "bits=0-1": 200, "bytes=999999999-": 416,
		"bytes=" + strings.Repeat("0-0,", 100) + "0-0": 200,
	} {
		got := f.get("/api/v1/records/1/original", func(request *http.Request) { request.Header.Set("Range", header) })
		if got.StatusCode != want || want == 200 && len(got.body) != len(whole) {
			t.Errorf("%.40s: status %d with %d bytes, want %d", header, got.StatusCode, len(got.body), want)
		}
	}
}

// TestUnknownAddresses: an address of the API that is not there is 404 with every method, one that is there and has not
// the method 405; every other address has the page, with 404 where it has no view.
func TestUnknownAddresses(t *testing.T) {
	f := start(t)
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		for _, path := range []string{"/api/v1/nope", "/api", "/api/v2/search", "/api/v1/records/1/nope"} {
			f.expect(f.send(f.request(method, path, nil)), 404, problem.NotFound)
		}
	}
	got := f.expect(f.send(f.request("PUT", "/api/v1/records/1", nil)), 405, problem.MethodNotAllowed)
	if allow := got.Header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "DELETE") {
		t.Errorf("Allow: %q", allow)
	}
	f.expect(f.send(f.request("POST", "/page", nil)), 405, problem.MethodNotAllowed)
	f.expect(f.get("/library"), 200, "")
	f.expect(f.get("/page"), 404, "")
	f.expect(f.send(f.request("OPTIONS", "/api/v1/records/1", nil)), 204, "")
}

// TestDocumentIsPlainText: characters that nobody sees stand in the document as escapes.
func TestDocumentIsPlainText(t *testing.T) {
	data, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(data) {
		if unicode.Is(unicode.Bidi_Control, r) || r != ' ' && unicode.Is(unicode.Zs, r) {
			t.Fatalf("openapi.json has the character %U as it is: write it as an escape", r)
		}
	}
}
