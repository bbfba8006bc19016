package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"mekiki/server/openapi"
	"mekiki/server/problem"
)

// DecodeJSON checks data with a schema and decodes it. field is what goes before
// the names of members in errors.
func DecodeJSON(data []byte, schema *openapi.Schema, field string, target any) error {
	if schema == nil {
		return errors.New("the API document describes no such body")
	}
	value, err := openapi.Decode(data)
	if err != nil {
		return notJSON(err)
	}
	if violations := schema.Validate(value); len(violations) > 0 {
		return Violated(field, violations)
	}
	if data, err = json.Marshal(schema.Normalize(value)); err != nil {
		return fmt.Errorf("encode body: %w", err)
	}
	if err := json.Unmarshal(data, target); err != nil {
		return notJSON(err)
	}
	return nil
}

func notJSON(err error) error {
	if errors.Is(err, openapi.ErrRepeated) || errors.Is(err, openapi.ErrTrailing) {
		return problem.New(problem.InvalidRequest, "invalid body: "+err.Error())
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return problem.Newf(problem.InvalidRequest, "the body is not JSON: at byte %d, %v", syntax.Offset, syntax)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return problem.New(problem.InvalidRequest, "the body is not JSON: it ends too early")
	}
	return problem.New(problem.InvalidRequest, "the body is not JSON")
}
