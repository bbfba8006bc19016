package filters

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of filters into the documentation and the page")

// TestDocumentation holds the documentation's and the page's tables against the filters.
// After a change: go test ./index/filters -run Documentation -update.
func TestDocumentation(t *testing.T) {
	var language, api, page strings.Builder
	var keywords []string
	page.WriteString("// Written by go test ./index/filters -run Documentation -update, from the table of filters.\n// key is the parameter in an address, keyword what the query language calls it, member that of a filter in JSON, facet the name of its counts.\nexport const filters = [\n")
	for _, field := range Fields() {
		value := field.Value
		if field.Listed != nil {
			value = field.Listed()
		}
		if field.Name != IDs {
			keywords = append(keywords, fmt.Sprintf("  %q,\n", field.Name))
			fmt.Fprintf(&language, "| `%s:` | %s | %s |\n", field.Name, value, field.Passes)
		}
		parameter := "(none)"
		if field.Parameter != "" {
			parameter = "`" + field.Parameter + "`"
		}
		value = field.Value
		if len(field.Coordinates) > 0 {
			value += ", in JSON an object of these"
		}
		fmt.Fprintf(&api, "| `%s` | %s | %s; %s |\n", field.Member, parameter, value, field.Passes)
		if field.Shown {
			fmt.Fprintf(&page, "  { key: %q, keyword: %q, member: %q, facet: %q, repeatable: %t },\n", field.Parameter, field.Name, field.Member, field.Facet, field.Repeatable)
		}
	}
	page.WriteString("] as const;\n")
	fmt.Fprintf(&page, "\n// What the query language calls each filter that it has.\nexport const keywords = [\n%s];\n", strings.Join(keywords, ""))
	holds(t, "../../docs/query-language.md", "| filter | value | records that pass |\n|---|---|---|\n", language.String())
	holds(t, "../../docs/api.md", "| JSON, in `filter` | query parameter | condition |\n|---|---|---|\n", api.String())
	holds(t, "../../ui/page/src/address/filters.ts", "", page.String())
}

// holds fails when a file lacks the text after a heading, up to an empty line; without
// a heading, when it is another text.
func holds(t *testing.T, name, heading, text string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !*update {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(data), heading)
	if !found {
		t.Fatalf("%s lacks %q", name, heading)
	}
	want := text
	if heading != "" {
		_, rest, _ := strings.Cut(after, "\n\n")
		want = before + heading + text + "\n" + rest
	}
	if want == string(data) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the filters say; run go test ./index/filters -run Documentation -update", name)
	}
	if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestAPIDocument: the API document has each filter as a member and as a parameter, and
// no other.
func TestAPIDocument(t *testing.T) {
	data, err := os.ReadFile("../../server/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Type       any // a type, or a list of them
		Properties map[string]schema
	}
	var document struct {
		Components struct {
			Parameters map[string]struct {
				Name   string
				Schema schema
			}
			Schemas map[string]schema
		}
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	members := document.Components.Schemas["Filter"].Properties
	parameters := map[string]schema{}
	var references []string
	for key, parameter := range document.Components.Parameters {
		if strings.HasPrefix(key, "filter") {
			parameters[parameter.Name] = parameter.Schema
			references = append(references, `"#/components/parameters/`+key+`"`)
		}
	}
	for _, field := range Fields() {
		if member, there := members[field.Member]; !there || (member.Type == "array") != field.Repeatable {
			t.Errorf("the schema Filter has %s as %+v", field.Member, member)
		}
		if parameter, there := parameters[field.Parameter]; field.Parameter != "" && (!there || (parameter.Type == "array") != field.Repeatable) {
			t.Errorf("the parameter %s is %+v", field.Parameter, parameter)
		}
		delete(members, field.Member)
		delete(parameters, field.Parameter)
	}
	if len(members)+len(parameters) > 0 {
		t.Errorf("these are no filters: %v, %v", members, parameters)
	}
	for path, operations := range document.Paths {
		for method, operation := range operations {
			takes := func(reference string) bool { return bytes.Contains(operation, []byte(reference)) }
			if slices.ContainsFunc(references, takes) && slices.ContainsFunc(references, func(r string) bool { return !takes(r) }) {
				t.Errorf("%s %s takes some of the filters", method, path)
			}
		}
	}
}
