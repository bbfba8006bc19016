package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"

	"github.com/labstack/echo/v4"

	"mekiki/server/problem"
	"mekiki/server/transport"
)

// EachImage reads a form of many images, one after the other, so that one at a time is in memory. The part "request" is
// JSON and comes first, if at all; begin is called once it is in target, or there is none. Then each is called with every
// part "image", in order; err says why one could not be had: the others can. There are at most count images of at most
// limit bytes together. An error of begin or each ends the form.
func (b Bodies) EachImage(c echo.Context, count int, limit int64, target any, begin func() error, each func(image Upload, err error) error) error {
	if err := plainBody(c); err != nil {
		return err
	}
	kind, parameters, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	bodies := RouteOf(c).Operation.Bodies
	if err != nil || bodies[kind] == nil {
		return problem.New(problem.UnsupportedMediaType, "the body must be "+accepted(bodies))
	}
	leave, err := b.Forms.Enter(c.Request().Context())
	if err != nil {
		return err
	}
	defer leave()
	if c.Request().ContentLength > limit {
		return problem.Newf(problem.BodyTooLarge, "the limit is %s for all images of one request", problem.SizeText(limit))
	}
	body, next, done := transport.PaceEach(c, limit, b.FormTime)
	reader := multipart.NewReader(body, parameters["boundary"])
	read := 0
	for begun := false; ; next() {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return badBody(c.Request().Context(), "form", err)
		}
		switch name := part.FormName(); {
		case name == "request" && !begun:
			if err := b.readDetails(c, part, target); err != nil {
				return err
			}
			begun = true
			if err := begin(); err != nil {
				return err
			}
		case name == "request":
			return problem.Invalid("request", "must be given only once, before the images")
		case name != "image":
			return problem.Newf(problem.InvalidRequest, "the form has a part %q: expected image and request", problem.Shorten(name, 64))
		default:
			if read++; read > count {
				return problem.Invalid("image", "must be at most %d parts", count)
			}
			if !begun {
				begun = true
				if err := begin(); err != nil {
					return err
				}
			}
			if err := b.oneImage(c, part, each); err != nil {
				return err
			}
		}
	}
	if read == 0 {
		return problem.Invalid("image", "is missing")
	}
	done()
	return nil
}

// oneImage reads one image and hands it over.
func (b Bodies) oneImage(c echo.Context, part *multipart.Part, each func(image Upload, err error) error) error {
	image := Upload{FileName: part.FileName()}
	data, err := readPart(c.Request().Context(), part, "image", b.ImageBytes)
	switch p := problem.From(err); {
	case err == nil && len(data) == 0:
		return each(image, problem.Invalid("image", "is empty"))
	case err == nil:
		image.Image = data
		return each(image, nil)
	case p.Code != problem.BodyTooLarge:
		return err
	}
	if _, unread := io.Copy(io.Discard, part); unread != nil { // where the whole form is too large
		return badBody(c.Request().Context(), "form", unread)
	}
	return each(image, err)
}

// readDetails reads the part "request" into target.
func (b Bodies) readDetails(c echo.Context, part *multipart.Part, target any) error {
	document, err := readPart(c.Request().Context(), part, "request", b.JSONBytes)
	if err != nil {
		return err
	}
	return DecodeJSON(document, RouteOf(c).Operation.Bodies[echo.MIMEMultipartForm].Property("request"), "request", target)
}
