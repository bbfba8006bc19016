package mcp

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"mekiki/index/facets"
	"mekiki/index/filters"
	"mekiki/search/contract"
	"mekiki/server/wire"
)

// bounds say what the members of a tool's input may be, by name.
type bounds map[string]func(*jsonschema.Schema)

// number bounds a whole number; unset is what a missing one means.
func number(least, most, unset int) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) {
		low, high := float64(least), float64(most)
		s.Minimum, s.Maximum = &low, &high
		s.Description += fmt.Sprintf(" %d to %d; %d if you leave it out.", least, most, unset)
	}
}

// text bounds the characters of a text.
func text(most int) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) { s.MaxLength = &most }
}

// list bounds the length of a list and, where each is not nil, its members.
func list(least, most int, each func(*jsonschema.Schema)) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) {
		s.MinItems, s.MaxItems = &least, &most
		if each != nil {
			each(s.Items)
		}
	}
}

// id is the form of a record's id.
func id(s *jsonschema.Schema) { s.Pattern = `^[1-9][0-9]{0,18}$` }

// oneOf lists what a text may be.
func oneOf(names ...string) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) {
		for _, name := range names {
			s.Enum = append(s.Enum, name)
		}
	}
}

// words are the bounds that several tools share.
var words = text(maximumWords)

// verdicts are down to where hits are shown.
var verdicts = oneOf(string(contract.ShowStrong), string(contract.ShowWeak), string(contract.ShowAll))

// facetNames are what can be counted.
var facetNames = list(0, len(facets.Names()), oneOf(facets.Names()...))

// schemaOf describes a type, with what its tags say of its members. What a type cannot say stops the program when it
// starts, and its tests before that.
func schemaOf[T any](bounded bounds) *jsonschema.Schema {
	schema, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[wire.Filter](): filterSchema(),
	}})
	if err != nil {
		panic(err)
	}
	neverNull(schema)
	for name, bound := range bounded {
		member := schema.Properties[name]
		if member == nil {
			panic(fmt.Sprintf("%T has no member %q", *new(T), name))
		}
		bound(member)
	}
	return schema
}

// neverNull takes null out of what members may be, as far as it stands beside another type: what there is not is left
// out here, and some programs that hand tools to models take one type for each member only.
func neverNull(schema *jsonschema.Schema) {
	if types := slices.DeleteFunc(slices.Clone(schema.Types), func(name string) bool { return name == "null" }); len(types) == 1 {
		schema.Type, schema.Types = types[0], nil
	}
	for _, member := range schema.Properties {
		neverNull(member)
	}
	if schema.Items != nil {
		neverNull(schema.Items)
	}
}

// filterSchema describes filters as the table of filters has them.
func filterSchema() *jsonschema.Schema {
	schema := &jsonschema.Schema{
		Type: "object", Properties: map[string]*jsonschema.Schema{}, AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
		Description: "Conditions that every hit must meet. They can be written in the query too, as in: cats tag:family after:2024.",
	}
	for _, field := range filters.Fields() {
		if field.Member == "" {
			continue
		}
		value := field.Value
		if field.Listed != nil {
			value = field.Listed()
		}
		member := &jsonschema.Schema{Type: "string", Description: strings.TrimSpace(value + ". Passes: " + field.Passes + ".")}
		if len(field.Coordinates) > 0 {
			member.Description = strings.Join(field.Coordinates, ",") + ". " + field.Passes + "."
		}
		if field.Repeatable {
			member = &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: "string"}, Description: member.Description + " Any of the values suffices."}
		}
		schema.Properties[field.Member] = member
		schema.PropertyOrder = append(schema.PropertyOrder, field.Member)
	}
	slices.Sort(schema.PropertyOrder)
	return schema
}
