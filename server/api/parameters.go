package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/openapi"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// ReadQuery checks the query's parameters with the API document and decodes them
// into target, whose JSON names are the parameters'.
func ReadQuery(c echo.Context, target any) error {
	values, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return problem.New(problem.InvalidRequest, "the query string is malformed")
	}
	object, violations := RouteOf(c).Operation.Query(values)
	if len(violations) > 0 {
		return Violated("", violations)
	}
	data, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encode parameters: %w", err)
	}
	if err := json.Unmarshal(data, target); err != nil {
		return fmt.Errorf("decode parameters: %w", err)
	}
	return nil
}

// ReadFiltered is ReadQuery where some of the parameters are filters.
func ReadFiltered(c echo.Context, target any) (index.Filter, error) {
	var filter wire.Filter
	if err := ReadQuery(c, target); err != nil {
		return index.Filter{}, err
	}
	if err := ReadQuery(c, &filter); err != nil {
		return index.Filter{}, err
	}
	return filter.ParseParameters()
}

// Violated makes a problem of what the API document does not allow.
func Violated(field string, violations []openapi.Violation) *problem.Problem {
	p := problem.New(problem.InvalidRequest, "")
	for i, violation := range violations {
		name := strings.Trim(field+"."+violation.Field, ".")
		if name == "" {
			name = "body"
		}
		p.Errors = append(p.Errors, problem.Field{Field: name, Detail: violation.Detail})
		if i == 0 {
			p.Detail = name + ": " + violation.Detail
		}
	}
	return p
}

// Segment gives a parameter of the path, decoded and checked.
func Segment(c echo.Context, name string) (string, error) {
	value := c.Param(name)
	if c.Request().URL.RawPath != "" {
		// echo matches the path as it was escaped and leaves parameters so.
		unescaped, err := url.PathUnescape(value)
		if err != nil {
			return "", problem.Invalid(name, "is malformed")
		}
		value = unescaped
	}
	if violations := RouteOf(c).Operation.Segment(name, value); len(violations) > 0 {
		return "", Violated("", violations)
	}
	return value, nil
}

// RecordID gives the id in the path.
func RecordID(c echo.Context) (index.ID, error) {
	text, err := Segment(c, "id")
	if err != nil {
		return 0, err
	}
	return wire.ParseID("id", text)
}
