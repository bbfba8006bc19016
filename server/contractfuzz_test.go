package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mekiki/server/openapi"
	"mekiki/server/problem"
)

// exampleQuery gives every parameter of an operation's query a value that its schema takes.
func exampleQuery(operation *openapi.Operation) url.Values {
	values := url.Values{}
	for _, parameter := range operation.Parameters {
		if parameter.In != "query" {
			continue
		}
		schema := parameter.Schema
		if schema.Kind() == "array" {
			schema = schema.Items()
		}
		values.Set(parameter.Name, textOf(example(schema)))
	}
	return values
}

func textOf(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return "true"
	}
	return ""
}

// exampleBody makes a body that an operation takes, if it takes any: a form where that is possible.
func exampleBody(t testing.TB, operation *openapi.Operation) (kind, body string) {
	t.Helper()
	if schema := operation.Bodies["multipart/form-data"]; schema != nil {
		parts := map[string]string{"image": string(jpegOf(4, 3))}
		if document := schema.Property("request"); document != nil {
			parts["request"] = jsonText(t, minimalOf(document))
		}
		reader, kind := formOf(t, parts)
		data, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		return kind, string(data)
	}
	if schema := operation.Bodies["application/json"]; schema != nil {
		return "application/json", jsonText(t, minimalOf(schema))
	}
	return "", ""
}

// minimalOf makes a value with the members that a schema requires.
func minimalOf(schema *openapi.Schema) map[string]any {
	valid, minimal := example(schema).(map[string]any), map[string]any{}
	for _, name := range schema.Required() {
		minimal[name] = valid[name]
	}
	return minimal
}

func pathOf(operation *openapi.Operation) string { return withSegments(operation.Path, "1") }

// withSegments gives the parameters of a path values that there may be; id is the record's or the job's.
func withSegments(path, id string) string {
	return strings.NewReplacer("{id}", id, "{tag}", "x", "{name}", "x", "{side}", "1600", "{level}", "0", "{x}", "0", "{y}", "0").Replace(path)
}

// named reports whether a problem names field, or a member within it.
func named(t *testing.T, got answer, field string) bool {
	t.Helper()
	list, _ := got.at(t, "errors").([]any)
	return slices.ContainsFunc(list, func(entry any) bool {
		found, _ := entry.(map[string]any)["field"].(string)
		return found == field || strings.HasPrefix(found, field+".") || strings.HasPrefix(found, field+"[")
	})
}

// TestFormsThatBreakTheContract sends every corruption of the JSON that goes with an image, as
// TestBodiesThatBreakTheContract does where it is the whole body.
func TestFormsThatBreakTheContract(t *testing.T) {
	f := start(t)
	sent := 0
	for _, operation := range f.document.Operations() {
		form := operation.Bodies["multipart/form-data"]
		if form == nil {
			continue
		}
		schema := form.Property("request")
		for _, broken := range corruptions(schema, example(schema)) {
			sent++
			got := f.form(pathOf(operation), map[string]string{"image": string(jpegOf(4, 3)), "request": jsonText(t, broken)})
			f.expect(got, 400, problem.InvalidRequest)
			if !named(t, got, "request") {
				t.Errorf("%s: the part is not named: %s", operation.ID, got.body)
			}
		}
	}
	if sent < 100 {
		t.Errorf("only %d broken forms", sent)
	}
	t.Logf("%d broken forms", sent)
}

// TestParametersThatBreakTheContract gives every operation a parameter that it does not have, every parameter of its
// query twice, and as many kinds of values as its schema does not take, and every parameter of its path likewise: each
// must be refused and the parameter named.
func TestParametersThatBreakTheContract(t *testing.T) {
	f := start(t)
	sent := 0
	refused := func(operation *openapi.Operation, field, path, query string) {
		t.Helper()
		if !isAPI(path) {
			return // healthz and the like are asked by programs with parameters of their own
		}
		sent++
		kind, body := exampleBody(t, operation)
		request := f.request(operation.Method, path+"?"+query, strings.NewReader(body))
		if kind != "" {
			request.Header.Set("Content-Type", kind)
		}
		got := f.send(request)
		if got.StatusCode != http.StatusBadRequest || !named(t, got, field) {
			t.Errorf("%s %s?%.60s: %d, want a problem with %s: %.300s", operation.Method, path, query, got.StatusCode, field, got.body)
		}
	}
	wrong := []string{"text", "1e9", "-1", "0.123", "true", "", "1,2", "\x00", "\xff", strings.Repeat("x", 8000), "9223372036854775808", "NaN"}
	for _, operation := range f.document.Operations() {
		path := pathOf(operation)
		refused(operation, "surprise", path, "surprise=1")
		for _, parameter := range operation.Parameters {
			for _, value := range wrong {
				switch {
				case parameter.In == "path" && value != "" && len(operation.Segment(parameter.Name, value)) > 0:
					broken := strings.ReplaceAll(operation.Path, "{"+parameter.Name+"}", url.PathEscape(value))
					refused(operation, parameter.Name, withSegments(broken, "1"), "")
				case parameter.In == "query":
					values := url.Values{parameter.Name: {value}}
					if _, violations := operation.Query(values); len(violations) > 0 {
						refused(operation, parameter.Name, path, values.Encode())
					}
				}
			}
			if parameter.In == "query" && parameter.Schema.Kind() != "array" {
				twice := exampleQuery(operation).Get(parameter.Name)
				refused(operation, parameter.Name, path, url.Values{parameter.Name: {twice, twice}}.Encode())
			}
		}
	}
	if sent < 300 {
		t.Errorf("only %d broken requests", sent)
	}
	t.Logf("%d broken requests", sent)
}

// TestMediaTypesThatBreakTheContract sends each operation a body of another type than those it takes, and asks each
// address with every method that it does not have.
func TestMediaTypesThatBreakTheContract(t *testing.T) {
	f := start(t)
	methods := []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"}
	has := map[string][]string{}
	for _, operation := range f.document.Operations() {
		has[operation.Path] = append(has[operation.Path], operation.Method)
		if len(operation.Bodies) == 0 {
			continue
		}
		for _, kind := range []string{"", "text/plain", "application/xml", "application/json;", "multipart/form-data", "a/b/c", "application/x-www-form-urlencoded"} {
			if operation.Bodies[strings.TrimSuffix(kind, ";")] != nil && kind != "" {
				continue
			}
			f.expect(f.send(f.request(operation.Method, pathOf(operation), strings.NewReader("{}"), header("Content-Type", kind))), 415, problem.UnsupportedMediaType)
		}
	}
	for path, known := range has {
		for _, method := range methods {
			if slices.Contains(known, method) {
				continue
			}
			address := withSegments(path, "1")
			got := f.expect(f.send(f.request(method, address, nil)), 405, problem.MethodNotAllowed)
			for _, allowed := range known {
				if !strings.Contains(got.Header.Get("Allow"), allowed) || !strings.Contains(got.text(t, "detail"), allowed) {
					t.Errorf("%s %s: Allow is %q, without %s: %s", method, address, got.Header.Get("Allow"), allowed, got.body)
				}
			}
		}
	}
}
