package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/server/openapi"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

// readBody reads a whole body of at most limit bytes.
func (s *Server) readBody(c echo.Context, limit int64) ([]byte, error) {
	if c.Request().ContentLength > limit {
		return nil, problem.Newf(problem.BodyTooLarge, "the limit is %s", problem.SizeText(limit))
	}
	body, done := transport.Pace(c, limit, s.options.Limits.ReadTime)
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, badBody(c.Request().Context(), "body", err)
	}
	done()
	return data, nil
}

// plainBody refuses a compressed body, whose size nobody knows before it is unpacked.
func plainBody(c echo.Context) error {
	if encoding := c.Request().Header.Get(echo.HeaderContentEncoding); encoding != "" && encoding != "identity" {
		return problem.Newf(problem.UnsupportedMediaType, "the body must not be compressed, and its Content-Encoding is %q", problem.Shorten(encoding, 64))
	}
	return nil
}

// upload is a form's two parts: the image and the JSON that goes with it.
type upload struct {
	image    []byte
	fileName string
}

// readRequest reads a JSON body, or a form with the JSON in the part "request"
// and the image in the part "image". Either part of a form may be missing.
func (s *Server) readRequest(c echo.Context, target any) (upload, error) {
	if err := plainBody(c); err != nil {
		return upload{}, err
	}
	kind, parameters, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	bodies := routeOf(c).operation.Bodies
	if err != nil || bodies[kind] == nil {
		return upload{}, problem.New(problem.UnsupportedMediaType, "the body must be "+accepted(bodies))
	}
	if kind == echo.MIMEApplicationJSON {
		return upload{}, s.readJSON(c, target)
	}
	leave, err := s.uploads.Enter(c.Request().Context())
	if err != nil {
		return upload{}, err
	}
	defer leave()
	limits := s.options.Limits
	limit := limits.UploadBytes + limits.BodyBytes + multipartOverhead
	if c.Request().ContentLength > limit {
		return upload{}, problem.Newf(problem.BodyTooLarge, "the limit is %s for an image", problem.SizeText(limits.UploadBytes))
	}
	body, done := transport.Pace(c, limit, limits.UploadTime)
	read, err := s.readForm(multipart.NewReader(body, parameters["boundary"]), c, target)
	if err != nil {
		return upload{}, err
	}
	done()
	return read, nil
}

func (s *Server) readForm(reader *multipart.Reader, c echo.Context, target any) (upload, error) {
	var result upload
	var document []byte
	seen := map[string]bool{}
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return upload{}, badBody(c.Request().Context(), "form", err)
		}
		name := part.FormName()
		if seen[name] {
			return upload{}, problem.Invalid(name, "must be given only once")
		}
		seen[name] = true
		switch name {
		case "image":
			result.fileName = part.FileName()
			result.image, err = readPart(c.Request().Context(), part, name, s.options.Limits.UploadBytes)
		case "request":
			document, err = readPart(c.Request().Context(), part, name, s.options.Limits.BodyBytes)
		default:
			return upload{}, problem.Newf(problem.InvalidRequest, "the form has a part %q: expected image and request", problem.Shorten(name, 64))
		}
		if err != nil {
			return upload{}, err
		}
	}
	schema := routeOf(c).operation.Bodies[echo.MIMEMultipartForm]
	for _, name := range schema.Required() {
		if !seen[name] {
			return upload{}, problem.Invalid(name, "is missing")
		}
	}
	if seen["image"] && len(result.image) == 0 {
		return upload{}, problem.Invalid("image", "is empty")
	}
	if document == nil {
		document = []byte("{}")
	}
	return result, decodeJSON(document, schema.Property("request"), "request", target)
}

// readPart reads one part of a form of at most limit bytes.
func readPart(ctx context.Context, part *multipart.Part, name string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return nil, badBody(ctx, "form", err)
	}
	if int64(len(data)) > limit {
		return nil, problem.Newf(problem.BodyTooLarge, "the part %s has more than %s", name, problem.SizeText(limit))
	}
	return data, nil
}

// badBody keeps the errors that say something of the connection or the size, and
// makes a problem of the others: what is left is how the body is made.
func badBody(ctx context.Context, what string, err error) error {
	p := problem.From(err)
	switch {
	case p.Code != problem.Internal && p.Code != problem.InvalidRequest:
		return fmt.Errorf("read %s: %w", what, err)
	case ctx.Err() != nil:
		return fmt.Errorf("read %s: %w", what, ctx.Err())
	}
	return problem.Newf(problem.InvalidRequest, "the %s is malformed or ends too early", what)
}

func accepted(bodies map[string]*openapi.Schema) string {
	var kinds []string
	for _, kind := range []string{echo.MIMEApplicationJSON, echo.MIMEMultipartForm} {
		if bodies[kind] != nil {
			kinds = append(kinds, kind)
		}
	}
	return strings.Join(kinds, " or ")
}
