// Package media sends the pictures of records: thumbnails and originals.
package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/transport"
	"mekiki/server/wire"
)

// Room is what sending pictures needs.
type Room struct{ Library api.Library }

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodGet, Path: "/api/v1/records/{id}/thumbnail", Class: api.Read, Handler: r.getThumbnail},
		{Method: http.MethodGet, Path: "/api/v1/records/{id}/original", Class: api.Read, Handler: r.getOriginal},
	}
}

// getThumbnail sends a record's thumbnail. The record's file can be edited, so a
// browser asks whether the one that it keeps is still right.
func (r Room) getThumbnail(c echo.Context) error {
	return r.withImage(c, func(reader index.Reader, record *index.Record) error {
		header := c.Response().Header()
		header.Set("ETag", `"t-`+record.Hash.String()+`"`)
		header.Set("Cache-Control", "private, no-cache")
		if transport.MatchesTag(c.Request(), header.Get("ETag")) {
			return c.NoContent(http.StatusNotModified)
		}
		data, err := reader.Thumbnail(c.Request().Context(), record.ID)
		if err != nil {
			return fmt.Errorf("thumbnail of %s: %w", record.ID, err)
		}
		header.Set(echo.HeaderContentType, pixels.JPEG.MediaType())
		return transport.ServeContent(c, "", time.Time{}, bytes.NewReader(data))
	})
}

// withImage calls f with the record that the address names, which must be an image.
func (r Room) withImage(c echo.Context, f func(index.Reader, *index.Record) error) error {
	id, err := api.RecordID(c)
	if err != nil {
		return err
	}
	return r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
		record, err := api.ImageIn(c.Request().Context(), reader, id)
		if err != nil {
			return err
		}
		return f(reader, record)
	})
}

// getOriginal sends a record's file, whole or in part.
func (r Room) getOriginal(c echo.Context) error {
	var query struct {
		Download bool `json:"download"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	if share := api.CallerOf(c).Share; share != nil && !share.Originals {
		return problem.New(problem.Forbidden, "this link shows pictures without their files")
	}
	return r.withImage(c, func(reader index.Reader, record *index.Record) error {
		file, err := reader.OpenOriginal(c.Request().Context(), record.ID)
		if errors.Is(err, index.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
			return problem.New(problem.NotFound, "the original file has moved or been deleted since it was indexed")
		}
		if err != nil {
			return fmt.Errorf("open original of %s: %w", record.ID, err)
		}
		defer file.Close()
		return r.sendOriginal(c, record, file, query.Download)
	})
}

func (r Room) sendOriginal(c echo.Context, record *index.Record, file io.ReadSeeker, download bool) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("read size of original: %w", err)
	}
	header := c.Response().Header()
	// What browsers do not show, or what could carry script, is a download of
	// unknown type.
	format, kind := pixels.Format(record.Format), echo.MIMEOctetStream
	shown := format.Shown()
	if shown {
		kind = format.MediaType()
	}
	disposition := "inline"
	if download || !shown {
		disposition = "attachment"
	}
	header.Set(echo.HeaderContentType, kind)
	header.Set(echo.HeaderContentDisposition, mime.FormatMediaType(disposition, map[string]string{"filename": wire.FileName(record)}))
	header.Set("ETag", `"`+record.Hash.String()+`"`)
	header.Set("Cache-Control", "private, no-cache")
	// A slow line may take long over a large file, but not for ever.
	deadline := time.Now().Add(time.Minute + time.Duration(size/transport.BodyRate)*time.Second)
	if err := http.NewResponseController(c.Response()).SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return transport.ServeContent(c, "", record.Modified(), file)
}
