package queries

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
	"mekiki/search/locate"
	"mekiki/server/api"
)

// locate says where in a record's picture a text is: as JSON, or as a picture to lay over
// the record's.
func (r Room) locate(c echo.Context) error {
	var query struct {
		Text   string `json:"text"`
		Method string `json:"method"`
		Format string `json:"format"`
	}
	id, err := api.RecordID(c)
	if err != nil {
		return err
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	request := locate.Request{Record: id, Text: query.Text, Method: embed.MapMethod(query.Method)}
	err = r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
		_, err := api.ImageIn(c.Request().Context(), reader, id)
		return err
	})
	if err != nil {
		return err
	}
	accepted := api.Wants(c.Request(), pixels.PNG.MediaType()) && !api.Wants(c.Request(), echo.MIMEApplicationJSON)
	return r.Compute.Do(c, func(ctx context.Context) error {
		found, err := r.Searcher.Locate(ctx, request)
		if err != nil {
			return err
		}
		if query.Format == "png" || query.Format == "" && accepted {
			return sendOverlay(c, found)
		}
		return api.SendJSON(c, http.StatusOK, found)
	})
}

// sendOverlay answers with a map as a see-through square, to be stretched over the picture.
func sendOverlay(c echo.Context, found locate.Response) error {
	drawn := found.Map()
	var file bytes.Buffer
	if err := png.Encode(&file, heatmap.Overlay(drawn.Rows, drawn.Columns, drawn.Values, overlaySide, overlaySide)); err != nil {
		return err
	}
	return c.Blob(http.StatusOK, pixels.PNG.MediaType(), file.Bytes())
}
