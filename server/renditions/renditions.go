// Package renditions sends pictures at the sizes that a viewer shows, of any format that is read: one of at most 1,600
// pixels, and tiles for looking closely.
package renditions

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/pictures"
	"mekiki/index/renditions"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/transport"
	"mekiki/server/wire"
)

// Room is what sending renditions needs.
type Room struct {
	Library api.Library
	Store   *renditions.Store
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodGet, Path: "/api/v1/records/{id}/renditions/{side}", Class: api.Picture, Handler: r.getRendition},
		{Method: http.MethodGet, Path: "/api/v1/records/{id}/tiles", Class: api.Read, Handler: r.getPyramid},
		{Method: http.MethodGet, Path: "/api/v1/records/{id}/tiles/{level}/{x}/{y}", Class: api.Picture, Handler: r.getTile},
	}
}

func (r Room) getRendition(c echo.Context) error {
	side, err := api.Segment(c, "side") // of which the document allows one
	if err != nil {
		return err
	}
	record, err := r.image(c)
	if err != nil {
		return err
	}
	return r.send(c, record, side, func() ([]byte, error) { return r.Store.Picture(c.Request().Context(), record) })
}

func (r Room) getTile(c echo.Context) error {
	var tile renditions.Tile
	for name, number := range map[string]*int{"level": &tile.Level, "x": &tile.X, "y": &tile.Y} {
		text, err := api.Segment(c, name)
		if err != nil {
			return err
		}
		if *number, err = strconv.Atoi(text); err != nil {
			return problem.Invalid(name, "is no number")
		}
	}
	record, err := r.image(c)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d-%d-%d", tile.Level, tile.X, tile.Y)
	return r.send(c, record, name, func() ([]byte, error) { return r.Store.Tile(c.Request().Context(), record, tile) })
}

// getPyramid says which tiles there are.
func (r Room) getPyramid(c echo.Context) error {
	record, err := r.image(c)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, wire.PyramidOf(renditions.PyramidOf(record.Width, record.Height)))
}

// image gives the record that the address names, which must be an image.
func (r Room) image(c echo.Context) (record *index.Record, err error) {
	id, err := api.RecordID(c)
	if err != nil {
		return nil, err
	}
	ctx := c.Request().Context()
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		record, err = api.ImageIn(ctx, reader, id)
		return err
	})
	return record, err
}

// send sends a JPEG. A record may come to have another picture, and another library may come to be served here, so that
// browsers keep for good only what they asked for by the hash of the picture.
func (r Room) send(c echo.Context, record *index.Record, name string, get func() ([]byte, error)) error {
	var query struct {
		Hash string `json:"hash"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	tag, header := `"`+name+"-"+record.Hash.String()+`"`, c.Response().Header()
	caching := "private, no-cache"
	if query.Hash == record.Hash.String() {
		caching = "private, max-age=31536000, immutable"
	}
	set := func() {
		header.Set("ETag", tag)
		header.Set("Cache-Control", caching)
	}
	if transport.MatchesTag(c.Request(), tag) {
		set()
		return c.NoContent(http.StatusNotModified)
	}
	picture, err := get()
	switch {
	case errors.Is(err, pictures.ErrNoOriginal):
		return problem.New(problem.NotFound, "the original file has moved or been deleted since it was indexed")
	case errors.Is(err, index.ErrNotFound):
		return problem.New(problem.NotFound, "there is no such tile of the picture")
	case err != nil:
		return fmt.Errorf("rendition of %s: %w", record.ID, err)
	}
	set()
	header.Set(echo.HeaderContentType, pixels.JPEG.MediaType())
	return transport.ServeContent(c, "", time.Time{}, bytes.NewReader(picture))
}
