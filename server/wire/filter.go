package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/search/contract"
	"mekiki/server/problem"
)

// Filter is a filter as a JSON object: what its members are, package filters says.
type Filter map[string]json.RawMessage

// Parse turns it into the form of the index. prefix goes before names of members in
// errors.
func (f Filter) Parse(prefix string) (index.Filter, error) {
	return f.parse(prefix, func(field filters.Field) string { return field.Member })
}

// ParseParameters does the same for the parameters of an address, by name.
func (f Filter) ParseParameters() (index.Filter, error) {
	return f.parse("", func(field filters.Field) string { return field.Parameter })
}

func (f Filter) parse(prefix string, nameOf func(filters.Field) string) (index.Filter, error) {
	var filter index.Filter
	for _, field := range filters.Fields() {
		name := nameOf(field)
		raw, there := f[name]
		if !there || name == "" {
			continue
		}
		values, err := valuesOf(field, raw)
		if err != nil {
			return filter, problem.Invalid(prefix+name, "is no value of this filter: %v", err)
		}
		for _, value := range values {
			if err := field.Set(&filter, value, filters.Reading{AnyFormat: true}); err != nil {
				return filter, problem.Invalid(prefix+cmp.Or(field.Parameter, field.Member), "%v", err)
			}
		}
	}
	return filter, nil
}

// valuesOf gives the values of a field as texts. A value that may be left out is "".
func valuesOf(field filters.Field, raw json.RawMessage) (values []string, err error) {
	if field.Repeatable {
		return values, json.Unmarshal(raw, &values)
	}
	if len(field.Coordinates) > 0 && bytes.HasPrefix(raw, []byte("{")) {
		numbers := map[string]json.Number{}
		if err := json.Unmarshal(raw, &numbers); err != nil {
			return nil, err
		}
		for _, name := range field.Coordinates {
			values = append(values, cmp.Or(numbers[name].String(), "0"))
		}
		return []string{strings.Join(values, ",")}, nil
	}
	var value string
	if err := json.Unmarshal(raw, &value); err != nil || value == "" {
		return nil, err
	}
	return []string{value}, nil
}

// numbersIn reads count numbers with commas between them.
func numbersIn(field, text string, count int) ([]float64, error) {
	parts := strings.Split(text, ",")
	if len(parts) != count {
		return nil, problem.Invalid(field, "must be %d numbers with commas between them", count)
	}
	numbers := make([]float64, count)
	for i, part := range parts {
		number, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return nil, problem.Invalid(field, "must be %d numbers with commas between them", count)
		}
		numbers[i] = number
	}
	return numbers, nil
}

// ParseCrop reads a part of an image: left, top, width and height as shares of it. "" is nil.
func ParseCrop(text string) (*contract.Rectangle, error) {
	if text == "" {
		return nil, nil
	}
	numbers, err := numbersIn("crop", text, 4)
	if err != nil {
		return nil, err
	}
	return &contract.Rectangle{X: numbers[0], Y: numbers[1], Width: numbers[2], Height: numbers[3]}, nil
}

// ParseID reads the identity of a record; field names it in errors.
func ParseID(field, text string) (index.ID, error) {
	id, err := index.ParseID(text)
	if err != nil {
		return 0, problem.Invalid(field, "is not the id of a record")
	}
	return id, nil
}

// ParseIDs reads the identities of records; the error names the place in field of the first that is none.
func ParseIDs(field string, texts []string) ([]index.ID, error) {
	ids := make([]index.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = ParseID(fmt.Sprintf("%s[%d]", field, i), text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
