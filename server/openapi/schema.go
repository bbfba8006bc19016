package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"mekiki/internal/plural"
)

// Violation is one place where a value is not as its schema says.
type Violation struct {
	// Field is the path of the place, such as "filter.tags[2]"; "" is the
	// value itself.
	Field string
	// Detail says what is wrong with it.
	Detail string
}

// Schema is a JSON schema, ready to check values. It is safe for concurrent use.
type Schema struct {
	kind             string // "" takes every type
	nullable         bool   // null does too
	properties       map[string]*Schema
	required         []string
	additional       *Schema // of members that properties does not name
	closed           bool    // such members are violations
	items            *Schema
	minItems         int
	maxItems         int
	minLength        int
	maxLength        int
	pattern          *regexp.Regexp
	patternMeaning   string // what the pattern asks for, in words
	enum             []string
	minimum          *float64
	maximum          *float64
	exclusiveMinimum *float64
	format           string
	fallback         any
	reference        *Schema // of $ref; everything else is then empty
}

// resolved follows references.
func (s *Schema) resolved() *Schema {
	for s != nil && s.reference != nil {
		s = s.reference
	}
	return s
}

// Property gives the schema of a member, or nil.
func (s *Schema) Property(name string) *Schema { return s.resolved().properties[name] }

// Properties lists the members that the schema names, sorted.
func (s *Schema) Properties() []string {
	return slices.Sorted(maps.Keys(s.resolved().properties))
}

// Required lists the members that a value must have.
func (s *Schema) Required() []string { return slices.Clone(s.resolved().required) }

// Kind gives the JSON type that a value must have, or "".
func (s *Schema) Kind() string { return s.resolved().kind }

// Items gives the schema of a list's entries, or nil.
func (s *Schema) Items() *Schema { return s.resolved().items }

// Enum lists the values that a string may have; none means any.
func (s *Schema) Enum() []string { return slices.Clone(s.resolved().enum) }

// Default gives the value that stands for a missing one, or nil.
func (s *Schema) Default() any { return s.resolved().fallback }

// Validate checks a value as encoding/json decodes it, with numbers as
// json.Number. Members that the schema does not name are let through unless the
// schema is closed.
func (s *Schema) Validate(value any) []Violation {
	check := &checker{}
	check.value("", s, value)
	return check.violations
}

// ValidateStrict is Validate, but takes every schema with named members to be
// closed: nothing undocumented may be there.
func (s *Schema) ValidateStrict(value any) []Violation {
	check := &checker{strict: true}
	check.value("", s, value)
	return check.violations
}

type checker struct {
	strict     bool
	violations []Violation
}

func (c *checker) report(field, format string, arguments ...any) {
	if len(c.violations) < maximumViolations {
		c.violations = append(c.violations, Violation{field, fmt.Sprintf(format, arguments...)})
	}
}

func (c *checker) value(field string, schema *Schema, value any) {
	schema = schema.resolved()
	if schema == nil || len(c.violations) >= maximumViolations || value == nil && schema.nullable {
		return
	}
	if kind := typeOf(value); schema.kind != "" && kind != schema.kind && (schema.kind != "integer" || kind != "number") {
		c.report(field, "must be %s, not %s", article(schema.kind), article(kind))
		return
	}
	switch value := value.(type) {
	case string:
		c.text(field, schema, value)
	case json.Number:
		c.number(field, schema, value)
	case []any:
		c.list(field, schema, value)
	case map[string]any:
		c.object(field, schema, value)
	}
}

func (c *checker) text(field string, schema *Schema, value string) {
	length := utf8.RuneCountInString(value)
	switch {
	case length < schema.minLength:
		c.report(field, "must have at least %s", plural.Count(schema.minLength, "character", "characters"))
	case schema.maxLength > 0 && length > schema.maxLength:
		c.report(field, "must have at most %s, not %d", plural.Count(schema.maxLength, "character", "characters"), length)
	case schema.enum != nil && !slices.Contains(schema.enum, value):
		c.report(field, "must be one of %q", schema.enum)
	case schema.pattern != nil && !schema.pattern.MatchString(value) && schema.patternMeaning != "":
		c.report(field, "must %s", schema.patternMeaning)
	case schema.pattern != nil && !schema.pattern.MatchString(value):
		c.report(field, "must have the form %s", schema.pattern)
	case schema.format == "date-time":
		if _, err := time.Parse(time.RFC3339Nano, value); err != nil {
			c.report(field, "must be a time such as 2024-05-01T12:00:00Z")
		}
	}
}

func (c *checker) number(field string, schema *Schema, value json.Number) {
	number, err := value.Float64()
	if err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
		c.report(field, "is out of range")
		return
	}
	if schema.kind == "integer" {
		if _, whole := wholeNumber(value); !whole {
			c.report(field, "must be a whole number")
			return
		}
	}
	switch {
	case schema.minimum != nil && number < *schema.minimum:
		c.report(field, "must be at least %s", show(*schema.minimum))
	case schema.maximum != nil && number > *schema.maximum:
		c.report(field, "must be at most %s", show(*schema.maximum))
	case schema.exclusiveMinimum != nil && number <= *schema.exclusiveMinimum:
		c.report(field, "must be more than %s", show(*schema.exclusiveMinimum))
	}
}

func (c *checker) list(field string, schema *Schema, value []any) {
	switch {
	case len(value) < schema.minItems:
		c.report(field, "must have at least %s", plural.Count(schema.minItems, "entry", "entries"))
	case schema.maxItems > 0 && len(value) > schema.maxItems:
		c.report(field, "must have at most %s, not %d", plural.Count(schema.maxItems, "entry", "entries"), len(value))
		return
	}
	if schema.items == nil {
		return
	}
	for i, entry := range value {
		c.value(field+"["+strconv.Itoa(i)+"]", schema.items, entry)
	}
}

func (c *checker) object(field string, schema *Schema, value map[string]any) {
	for _, name := range schema.required {
		if _, found := value[name]; !found {
			c.report(join(field, name), "is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(value)) {
		member, named := schema.properties[name]
		switch {
		case named:
			c.value(join(field, name), member, value[name])
		case schema.additional != nil:
			c.value(join(field, name), schema.additional, value[name])
		case schema.closed, c.strict && schema.properties != nil:
			c.report(join(field, name), "is not a known member")
		}
	}
}

func join(field, name string) string {
	const longest = 64
	if len(name) > longest {
		name = string([]rune(name)[:min(longest, utf8.RuneCountInString(name))])
	}
	if field == "" {
		return name
	}
	return field + "." + name
}

func typeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number, float64:
		return "number"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return fmt.Sprintf("%T", value)
}

func article(kind string) string {
	switch kind {
	case "null":
		return "null"
	case "integer":
		return "a whole number"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	return "a " + kind
}

func show(number float64) string { return strconv.FormatFloat(number, 'g', -1, 64) }
