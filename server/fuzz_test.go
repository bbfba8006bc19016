package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"mekiki/server/auth"
	"mekiki/server/openapi"
	"mekiki/server/problem"
)

// example makes a value that a schema takes, with every member it names.
func example(schema *openapi.Schema) any {
	if enum := schema.Enum(); len(enum) > 0 {
		return enum[0]
	}
	switch schema.Kind() {
	case "object":
		object := map[string]any{}
		for _, name := range schema.Properties() {
			object[name] = example(schema.Property(name))
		}
		return object
	case "array":
		return []any{example(schema.Items())}
	case "integer":
		return json.Number("1")
	case "number":
		return json.Number("0.5")
	case "boolean":
		return true
	}
	for _, text := range []string{"1", "x", "small", "2024-05-01T00:00:00Z", "2024", "1,1,1", "0,0,1,1", "/x", "{}", strings.Repeat("0", 64)} {
		if len(schema.Validate(text)) == 0 {
			return text
		}
	}
	return ""
}

// clone copies a JSON value.
func clone(value any) any {
	switch value := value.(type) {
	case map[string]any:
		copied := map[string]any{}
		for name, member := range value {
			copied[name] = clone(member)
		}
		return copied
	case []any:
		copied := make([]any, len(value))
		for i, entry := range value {
			copied[i] = clone(entry)
		}
		return copied
	}
	return value
}

// corruptions lists copies of a valid value that each break the schema in one
// place.
func corruptions(schema *openapi.Schema, value any) []any {
	var list []any
	for _, wrong := range []any{nil, "text", json.Number("1e9"), json.Number("-1"), json.Number("0.123"), true, []any{}, map[string]any{}, strings.Repeat("x", 20000)} {
		if len(schema.Validate(wrong)) > 0 {
			list = append(list, wrong)
		}
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range schema.Properties() {
			for _, wrong := range corruptions(schema.Property(name), value[name]) {
				broken := clone(value).(map[string]any)
				broken[name] = wrong
				list = append(list, broken)
			}
		}
		for _, name := range schema.Required() {
			broken := clone(value).(map[string]any)
			delete(broken, name)
			list = append(list, broken)
		}
		broken := clone(value).(map[string]any)
		broken["surprise"] = true
		if len(schema.Validate(broken)) > 0 {
			list = append(list, broken)
		}
	case []any:
		for _, wrong := range corruptions(schema.Items(), value[0]) {
			list = append(list, []any{wrong})
		}
	}
	return list
}

// TestBodiesThatBreakTheContract sends, to every operation with a JSON body, a
// valid one and then every corruption of it: the first must not be refused as
// invalid, each of the others must be, with the member at fault named.
func TestBodiesThatBreakTheContract(t *testing.T) {
	f := start(t)
	f.ingester.before = nil
	sent := 0
	for _, operation := range f.document.Operations() {
		schema := operation.Bodies["application/json"]
		if schema == nil {
			continue
		}
		valid := example(schema)
		if violations := schema.Validate(valid); len(violations) > 0 {
			t.Fatalf("%s: the example breaks the schema: %v", operation.ID, violations)
		}
		path := strings.NewReplacer("{id}", "1", "{name}", "x").Replace(operation.Path)
		minimal := map[string]any{}
		for _, name := range schema.Required() {
			minimal[name] = valid.(map[string]any)[name]
		}
		for _, broken := range corruptions(schema, valid) {
			sent++
			got := f.json(operation.Method, path, jsonText(t, broken))
			if got.StatusCode == http.StatusRequestEntityTooLarge {
				continue
			}
			f.expect(got, 400, problem.InvalidRequest)
			if got.at(t, "errors") == nil {
				t.Errorf("%s: no member is named: %s", operation.ID, got.body)
			}
		}
		for _, value := range []any{valid, minimal} {
			got := f.json(operation.Method, path, jsonText(t, value))
			if got.StatusCode >= 500 || got.StatusCode == 400 && strings.Contains(got.text(t, "detail"), "must") && operation.ID != "startJob" && !strings.Contains(got.text(t, "detail"), "date") {
				t.Errorf("%s: a valid body got %d: %s", operation.ID, got.StatusCode, got.body)
			}
		}
	}
	if sent < 200 {
		t.Errorf("only %d broken bodies", sent)
	}
	t.Logf("%d broken bodies", sent)
}

func jsonText(t testing.TB, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// fuzzed sends one request straight to the handler and holds the answer against
// the document; nothing a client sends may be an internal error.
func fuzzed(t *testing.T, f *fixture, method, path, query, kind, body string) {
	address := &url.URL{Path: path, RawQuery: query}
	request := httptest.NewRequest(method, "/", io.NopCloser(strings.NewReader(body)))
	request.URL, request.Host, request.ContentLength = address, "127.0.0.1", int64(len(body))
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	recorder := httptest.NewRecorder()
	f.server.Handler().ServeHTTP(recorder, request)
	got := answer{recorder.Result(), recorder.Body.Bytes()}
	if got.StatusCode == http.StatusInternalServerError {
		t.Errorf("%s %s: internal error", method, address)
	}
	for _, complaint := range againstDocument(f.document, method, address, got) {
		t.Errorf("%s %s: %s", method, address, complaint)
	}
}

// FuzzRequests sends bodies, queries and media types to every operation.
func FuzzRequests(f *testing.F) {
	fixture := prepare(f, func(o *Options) { o.Roots = nil })
	for number, operation := range fixture.document.Operations() {
		kind, body := exampleBody(f, operation)
		f.Add(uint8(number), exampleQuery(operation).Encode(), kind, body)
		if schema := operation.Bodies["application/json"]; schema != nil {
			f.Add(uint8(number), "", "application/json", jsonText(f, example(schema)))
		}
	}
	f.Add(uint8(0), "", "application/json", `{"text":"two cats","limit":3}`)
	f.Add(uint8(3), "q=cats&limit=5&near=1,2,3", "multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nGIF89a\r\n--B--\r\n")
	f.Add(uint8(9), "cursor=MTo1&facets=true", "application/json", `{"ids":["1"],"add":["x"]}`)
	f.Add(uint8(20), "q=tag:%22a", "application/json", `{"texts":[{"text":"x"}]}`)
	f.Fuzz(func(t *testing.T, number uint8, query, kind, body string) {
		operations := fixture.document.Operations()
		operation := operations[int(number)%len(operations)]
		if operation.ID == "followJob" || strings.ContainsAny(query, " \x00\n\r") {
			return
		}
		fixture := fixture
		if operation.Scope == auth.ScopeWrite.String() {
			// Each of these meets the library as it was at first, so that what one deletes is there for the next.
			fixture = prepare(t, func(o *Options) { o.Roots = nil })
		}
		path := withSegments(operation.Path, fmt.Sprint(1+number%4))
		fuzzed(t, fixture, operation.Method, path, query, kind, body)
	})
}

// FuzzPaths asks for any path.
func FuzzPaths(f *testing.F) {
	fixture := prepare(f, func(o *Options) { o.Roots = nil })
	for _, seed := range []string{"/", "/api/v1/records/1/original", "/api/v1/records/%2e%2e/original", "/../../etc/passwd", "/~0/x", "/api/docs/", "//"} {
		f.Add("GET", seed)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		if !strings.HasPrefix(path, "/") || strings.TrimLeft(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || method == "" || strings.HasSuffix(path, "/events") {
			return
		}
		fuzzed(t, fixture, method, path, "", "", "")
	})
}
