package server

import (
	"bytes"
	"context"
	"image/png"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/heatmap"
	"mekiki/search"
)

// locate says where in a record's picture a text is: as JSON, or as a picture to lay over
// the record's.
func (s *Server) locate(c echo.Context) error {
	var query struct {
		Text   string `json:"text"`
		Method string `json:"method"`
		Format string `json:"format"`
	}
	id, err := recordID(c)
	if err != nil {
		return err
	}
	if err := s.readQuery(c, &query); err != nil {
		return err
	}
	request := search.LocateRequest{Record: id, Text: query.Text, Method: embed.MapMethod(query.Method)}
	err = s.withReader(c.Request().Context(), func(reader index.Reader) error {
		_, err := imageRecord(c.Request().Context(), reader, id)
		return err
	})
	if err != nil {
		return err
	}
	accepted := wants(c.Request(), pixels.PNG.MediaType()) && !wants(c.Request(), echo.MIMEApplicationJSON)
	return s.compute(c, func(ctx context.Context) error {
		found, err := s.options.Searcher.Locate(ctx, request)
		if err != nil {
			return err
		}
		if query.Format == "png" || query.Format == "" && accepted {
			return sendOverlay(c, found)
		}
		return sendJSON(c, http.StatusOK, found)
	})
}

// sendOverlay answers with a map as a see-through square, to be stretched over the picture.
func sendOverlay(c echo.Context, found search.LocateResponse) error {
	drawn := found.Map()
	var file bytes.Buffer
	if err := png.Encode(&file, heatmap.Overlay(drawn.Rows, drawn.Columns, drawn.Values, overlaySide, overlaySide)); err != nil {
		return err
	}
	return c.Blob(http.StatusOK, pixels.PNG.MediaType(), file.Bytes())
}
