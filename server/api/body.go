package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/internal/bounded"
	"mekiki/search/contract"
	"mekiki/server/gate"
	"mekiki/server/openapi"
	"mekiki/server/problem"
	"mekiki/server/transport"
)

// MergePatch is the media type of a JSON merge patch (RFC 7396).
const MergePatch = "application/merge-patch+json"

// Bodies reads the bodies of requests: a bounded number at a time, each of a bounded
// size and within a bounded time, checked with the API document.
type Bodies struct {
	// JSON and Forms are the places of bodies without and with an image.
	JSON, Forms *gate.Gate
	// JSONBytes bounds a JSON body, and the part of a form that is JSON; ImageBytes the image.
	JSONBytes, ImageBytes int64
	// JSONTime and FormTime bound how long a body of each kind may take to arrive.
	JSONTime, FormTime time.Duration
}

// ReadJSON reads a body of one of the operation's kinds of JSON, checks it with the API document and decodes it.
func (b Bodies) ReadJSON(c echo.Context, target any) error {
	bodies := RouteOf(c).Operation.Bodies
	kind, data, err := b.readJSON(c, func(kind string) bool { return bodies[kind] != nil && kind != echo.MIMEMultipartForm }, accepted(bodies))
	if err != nil {
		return err
	}
	return DecodeJSON(data, bodies[kind], "", target)
}

// ReadUnchecked reads a JSON body of which the API document says nothing.
func (b Bodies) ReadUnchecked(c echo.Context) ([]byte, error) {
	_, data, err := b.readJSON(c, func(kind string) bool { return kind == echo.MIMEApplicationJSON }, echo.MIMEApplicationJSON)
	return data, err
}

// readJSON reads a body of one of the kinds of JSON that are taken; names lists them in the problem of another one.
func (b Bodies) readJSON(c echo.Context, takes func(kind string) bool, names string) (kind string, data []byte, err error) {
	if err := plainBody(c); err != nil {
		return "", nil, err
	}
	kind, _, err = mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || !takes(kind) {
		return "", nil, problem.New(problem.UnsupportedMediaType, "the body must be "+names)
	}
	leave, err := b.JSON.Enter(c.Request().Context())
	if err != nil {
		return "", nil, err
	}
	defer leave()
	data, err = b.readBody(c, b.JSONBytes)
	return kind, data, err
}

// readBody reads a whole body of at most limit bytes.
func (b Bodies) readBody(c echo.Context, limit int64) ([]byte, error) {
	if c.Request().ContentLength > limit {
		return nil, problem.Newf(problem.BodyTooLarge, "the limit is %s", problem.SizeText(limit))
	}
	body, done := transport.Pace(c, limit, b.JSONTime)
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

// Upload is what a form has beside its document: an image, and further ones. It is empty where there was none.
type Upload struct {
	Image    []byte
	Images   [][]byte
	FileName string
}

// ReadForm reads a JSON body, or a form with the JSON in the part "request"
// and the image in the part "image". Either part of a form may be missing.
func (b Bodies) ReadForm(c echo.Context, target any) (Upload, error) {
	if err := plainBody(c); err != nil {
		return Upload{}, err
	}
	kind, parameters, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	bodies := RouteOf(c).Operation.Bodies
	if err != nil || bodies[kind] == nil {
		return Upload{}, problem.New(problem.UnsupportedMediaType, "the body must be "+accepted(bodies))
	}
	if kind == echo.MIMEApplicationJSON {
		return Upload{}, b.ReadJSON(c, target)
	}
	leave, err := b.Forms.Enter(c.Request().Context())
	if err != nil {
		return Upload{}, err
	}
	defer leave()
	limit := b.ImageBytes + b.JSONBytes + multipartOverhead
	if c.Request().ContentLength > limit {
		return Upload{}, problem.Newf(problem.BodyTooLarge, "the limit is %s for an image", problem.SizeText(b.ImageBytes))
	}
	body, done := transport.Pace(c, limit, b.FormTime)
	read, err := b.readForm(multipart.NewReader(body, parameters["boundary"]), c, target)
	if err != nil {
		return Upload{}, err
	}
	done()
	return read, nil
}

func (b Bodies) readForm(reader *multipart.Reader, c echo.Context, target any) (Upload, error) {
	var result Upload
	var document []byte
	seen := map[string]bool{}
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Upload{}, badBody(c.Request().Context(), "form", err)
		}
		name := part.FormName()
		several := name == "images" && RouteOf(c).Operation.Bodies[echo.MIMEMultipartForm].Property(name) != nil
		if several && len(result.Images) == contract.MaximumPictures {
			return Upload{}, problem.Invalid(name, "are too many")
		}
		if seen[name] && !several {
			return Upload{}, problem.Invalid(name, "must be given only once")
		}
		seen[name] = true
		switch name {
		case "image":
			result.FileName = part.FileName()
			result.Image, err = readPart(c.Request().Context(), part, name, b.ImageBytes)
		case "request":
			document, err = readPart(c.Request().Context(), part, name, b.JSONBytes)
		case "images":
			if !several {
				return Upload{}, problem.Invalid(name, "is not expected; give one image")
			}
			var image []byte
			image, err = readPart(c.Request().Context(), part, name, b.ImageBytes)
			result.Images = append(result.Images, image)
		default:
			return Upload{}, problem.Newf(problem.InvalidRequest, "the form has a part %q: expected image and request", problem.Shorten(name, 64))
		}
		if err != nil {
			return Upload{}, err
		}
	}
	schema := RouteOf(c).Operation.Bodies[echo.MIMEMultipartForm]
	for _, name := range schema.Required() {
		if !seen[name] {
			return Upload{}, problem.Invalid(name, "is missing")
		}
	}
	if seen["image"] && len(result.Image) == 0 {
		return Upload{}, problem.Invalid("image", "is empty")
	}
	if document == nil {
		document = []byte("{}")
	}
	return result, DecodeJSON(document, schema.Property("request"), "request", target)
}

// readPart reads one part of a form of at most limit bytes.
func readPart(ctx context.Context, part *multipart.Part, name string, limit int64) ([]byte, error) {
	data, err := bounded.Read(part, limit)
	if errors.Is(err, bounded.ErrTooLong) {
		return nil, problem.Newf(problem.BodyTooLarge, "the part %s has more than %s", name, problem.SizeText(limit))
	}
	if err != nil {
		return nil, badBody(ctx, "form", err)
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
	for _, kind := range []string{MergePatch, echo.MIMEApplicationJSON, echo.MIMEMultipartForm} {
		if bodies[kind] != nil {
			kinds = append(kinds, kind)
		}
	}
	return strings.Join(kinds, " or ")
}
