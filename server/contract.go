package server

import (
	"bytes"
	_ "embed" // for the API document and the page that shows it
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/openapi"
	"mekiki/server/page"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// openapiDocument is the API's description, served as it is.
//
//go:embed openapi.json
var openapiDocument []byte

// readQuery checks the query's parameters with the API document and decodes them
// into target, whose JSON names are the parameters'.
func (s *Server) readQuery(c echo.Context, target any) error {
	values, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return problem.New(problem.InvalidRequest, "the query string is malformed")
	}
	object, violations := routeOf(c).operation.Query(values)
	if len(violations) > 0 {
		return violated("", violations)
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

// readFiltered is readQuery where some of the parameters are filters.
func (s *Server) readFiltered(c echo.Context, target any) (index.Filter, error) {
	var filter wire.Filter
	if err := s.readQuery(c, target); err != nil {
		return index.Filter{}, err
	}
	if err := s.readQuery(c, &filter); err != nil {
		return index.Filter{}, err
	}
	return filter.ParseParameters()
}

// readJSON reads a JSON body, checks it with the API document and decodes it.
func (s *Server) readJSON(c echo.Context, target any) error {
	if err := plainBody(c); err != nil {
		return err
	}
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || kind != echo.MIMEApplicationJSON {
		return problem.New(problem.UnsupportedMediaType, "the body must be application/json")
	}
	leave, err := s.bodies.Enter(c.Request().Context())
	if err != nil {
		return err
	}
	defer leave()
	data, err := s.readBody(c, s.options.Limits.BodyBytes)
	if err != nil {
		return err
	}
	return decodeJSON(data, routeOf(c).operation.Bodies[echo.MIMEApplicationJSON], "", target)
}

// decodeJSON checks data with a schema and decodes it. field is what goes before
// the names of members in errors.
func decodeJSON(data []byte, schema *openapi.Schema, field string, target any) error {
	if schema == nil {
		return errors.New("the API document describes no such body")
	}
	value, err := openapi.Decode(data)
	if err != nil {
		return notJSON(err)
	}
	if violations := schema.Validate(value); len(violations) > 0 {
		return violated(field, violations)
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

// violated makes a problem of what the API document does not allow.
func violated(field string, violations []openapi.Violation) *problem.Problem {
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

// segment gives a parameter of the path, decoded and checked.
func segment(c echo.Context, name string) (string, error) {
	value := c.Param(name)
	if c.Request().URL.RawPath != "" {
		// echo matches the path as it was escaped and leaves parameters so.
		unescaped, err := url.PathUnescape(value)
		if err != nil {
			return "", problem.Invalid(name, "is malformed")
		}
		value = unescaped
	}
	if violations := routeOf(c).operation.Segment(name, value); len(violations) > 0 {
		return "", violated("", violations)
	}
	return value, nil
}

// recordID gives the id in the path.
func recordID(c echo.Context) (index.ID, error) {
	text, err := segment(c, "id")
	if err != nil {
		return 0, err
	}
	return wire.ParseID("id", text)
}

// sendJSON answers with value as JSON.
func sendJSON(c echo.Context, status int, value any) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return c.Blob(status, echo.MIMEApplicationJSON, buffer.Bytes())
}

func (s *Server) getOpenAPI(c echo.Context) error {
	return s.sendAsset(c, page.Asset{Kind: echo.MIMEApplicationJSON, Data: openapiDocument, Tag: s.documentTag})
}

// wants reports whether the Accept header names a media type outright.
func wants(request *http.Request, kind string) bool {
	for _, header := range request.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			name, parameters, err := mime.ParseMediaType(strings.TrimSpace(part))
			if err == nil && name == kind && parameters["q"] != "0" {
				return true
			}
		}
	}
	return false
}
