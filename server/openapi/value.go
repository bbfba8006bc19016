package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
)

// ErrRepeated is the error of JSON in which an object names a member twice. Decoders differ in which of the two they
// take, so that what one program checks another may not be given.
var ErrRepeated = errors.New("duplicate member")

// ErrTrailing is the error of JSON with more behind its value.
var ErrTrailing = errors.New("it contains more than one JSON value")

// Decode reads one JSON value as [Schema.Validate] takes it: numbers are json.Number. It fails with [ErrRepeated],
// [ErrTrailing], or an error of encoding/json.
func Decode(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrTrailing
	}
	return value, refuseRepeated(data)
}

// level is an object or a list that a reader of tokens is inside of.
type level struct {
	names map[string]bool // nil in a list
	value bool            // the next token of an object is a member's value
}

// refuseRepeated goes through well-formed JSON and fails at the first name that its object has had already.
func refuseRepeated(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var inside []level
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if delimiter, ok := token.(json.Delim); ok && (delimiter == '}' || delimiter == ']') {
			inside = inside[:len(inside)-1]
			continue
		}
		if len(inside) > 0 && inside[len(inside)-1].names != nil {
			object := &inside[len(inside)-1]
			name, isText := token.(string)
			if isText && !object.value {
				if object.names[name] {
					return fmt.Errorf("%w: %.64q", ErrRepeated, name)
				}
				object.names[name], object.value = true, true
				continue
			}
			object.value = false
		}
		switch token {
		case json.Delim('{'):
			inside = append(inside, level{names: map[string]bool{}})
		case json.Delim('['):
			inside = append(inside, level{})
		}
	}
}

// exactDigits bounds the text and the digits of a number that is looked at digit by digit, so that 1e999999999 costs
// nothing.
const exactDigits = 40

// wholeNumber gives a number without fraction and exponent, if it is a whole one that fits 64 bits: 1.0 and 1e2 are
// whole numbers to JSON Schema.
func wholeNumber(value json.Number) (json.Number, bool) {
	text := value.String()
	if len(text) > exactDigits {
		return "", false
	}
	if !strings.ContainsAny(text, ".eE") {
		whole, ok := new(big.Int).SetString(text, 10)
		return value, ok && (whole.IsInt64() || whole.IsUint64())
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		exponent, err := strconv.Atoi(text[at+1:])
		if err != nil || exponent > exactDigits || exponent < -exactDigits {
			return "", false
		}
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok || !exact.IsInt() || !exact.Num().IsInt64() && !exact.Num().IsUint64() {
		return "", false
	}
	return json.Number(exact.Num().String()), true
}

// Normalize gives a valid value as Go's decoder takes it: whole numbers where the schema asks for an integer are
// written without fraction and exponent. Lists and objects are changed in place.
func (s *Schema) Normalize(value any) any {
	schema := s.resolved()
	if schema == nil {
		return value
	}
	switch value := value.(type) {
	case json.Number:
		if whole, ok := wholeNumber(value); ok && schema.kind == "integer" {
			return whole
		}
	case []any:
		if schema.items != nil {
			for i, entry := range value {
				value[i] = schema.items.Normalize(entry)
			}
		}
	case map[string]any:
		for name, member := range value {
			if described, named := schema.properties[name]; named {
				value[name] = described.Normalize(member)
			} else if schema.additional != nil {
				value[name] = schema.additional.Normalize(member)
			}
		}
	}
	return value
}
