package openapi

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Document is an API description. It is safe for concurrent use.
type Document struct {
	operations map[string]*Operation
	schemas    map[string]*Schema
}

// Operation is one method on one path.
type Operation struct {
	// Method is in capitals; Path has its parameters in braces.
	Method, Path string
	// ID, Summary and Scope are as written; Scope is the extension x-scope.
	ID, Summary, Scope string
	// Parameters are those of the query, the path and the headers; the last are not checked here.
	Parameters []Parameter
	// Bodies are the schemas of a request's body by media type; nil when it
	// has none.
	Bodies map[string]*Schema
	// Responses are the schemas of answers by status ("200", "default") and
	// media type.
	Responses map[string]map[string]*Schema
}

// Parameter is one parameter of an operation.
type Parameter struct {
	// Name is the parameter's name; In is "query", "path" or "header".
	Name, In string
	// Required says that it must be there.
	Required bool
	// Schema describes its value.
	Schema *Schema
}

// Operation gives the operation of a method and a path as the document writes
// them, or nil.
func (d *Document) Operation(method, path string) *Operation { return d.operations[method+" "+path] }

// Operations lists all operations, sorted by path and method.
func (d *Document) Operations() []*Operation {
	return slices.SortedFunc(maps.Values(d.operations), func(a, b *Operation) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
}

// Schema gives a named schema, or nil.
func (d *Document) Schema(name string) *Schema { return d.schemas[name] }

// Query turns the query's parameters into a JSON object, with the defaults of
// those that are missing, and reports what is not as described. Parameters that
// the operation does not have are violations, as are repeated ones that are no
// list.
func (o *Operation) Query(values url.Values) (map[string]any, []Violation) {
	object, check := map[string]any{}, &checker{}
	known := map[string]bool{}
	for _, parameter := range o.Parameters {
		if parameter.In != "query" {
			continue
		}
		known[parameter.Name] = true
		given := values[parameter.Name]
		switch {
		case len(given) > 0:
			value := fromText(parameter.Schema, given)
			if _, repeated := value.([]any); repeated && parameter.Schema.Kind() != "array" {
				check.report(parameter.Name, "must be given only once")
				continue
			}
			check.value(parameter.Name, parameter.Schema, value)
			object[parameter.Name] = parameter.Schema.Normalize(value)
		case parameter.Required:
			check.report(parameter.Name, "is missing")
		case parameter.Schema.Default() != nil:
			object[parameter.Name] = parameter.Schema.Default()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !known[name] {
			check.report(join("", name), "is not a parameter of this operation")
		}
	}
	return object, check.violations
}

// Segment checks a parameter of the path.
func (o *Operation) Segment(name, value string) []Violation {
	check := &checker{}
	for _, parameter := range o.Parameters {
		if parameter.In == "path" && parameter.Name == name {
			check.value(name, parameter.Schema, fromText(parameter.Schema, []string{value}))
		}
	}
	return check.violations
}

// fromText reads parameters, which are text, as their schema's type. What cannot
// be read stays text, which the check then refuses.
func fromText(schema *Schema, given []string) any {
	if schema.Kind() == "array" {
		list := make([]any, len(given))
		for i, text := range given {
			list[i] = fromText(schema.Items(), []string{text})
		}
		return list
	}
	if len(given) > 1 {
		return make([]any, len(given))
	}
	switch text := given[0]; schema.Kind() {
	case "integer", "number":
		if number := (json.Number)(text); isNumber(text) {
			return number
		}
	case "boolean":
		switch text {
		case "true", "1":
			return true
		case "false", "0":
			return false
		}
	}
	return given[0]
}

// isNumber holds for what JSON takes as a number.
func isNumber(text string) bool {
	var number json.Number
	return len(text) <= 64 && !strings.HasPrefix(text, `"`) && json.Unmarshal([]byte(text), &number) == nil && number != ""
}
