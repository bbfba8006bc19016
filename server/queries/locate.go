package queries

import (
	"bytes"
	"context"
	"image/png"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/heatmap"
	"mekiki/search/locate"
	"mekiki/server/api"
	"mekiki/server/transport"
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
		if query.Format == "" && api.WantsEvents(c) {
			return r.streamMap(ctx, c, request)
		}
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

// runsJSON says how many runs of the model a map has taken, and how many it takes.
type runsJSON struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// streamMap answers with how far the runs of a map are, now and then, and then with the map.
func (r Room) streamMap(ctx context.Context, c echo.Context, request locate.Request) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var stream *transport.EventStream
	var last time.Time
	send := func(event string, value any) (err error) {
		if stream == nil {
			if stream, err = transport.StartEvents(c); err != nil {
				return err
			}
		}
		return stream.Send(event, value)
	}
	request.Progress = func(done, total int) {
		if ctx.Err() != nil || time.Since(last) < runsPause && done < total {
			return
		}
		last = time.Now()
		if err := send("runs", runsJSON{done, total}); err != nil {
			stop(err) // nobody listens any more
		}
	}
	found, err := r.Searcher.Locate(ctx, request)
	if err != nil {
		if stream == nil {
			return err
		}
		return api.EndStream(c, stream, err)
	}
	if err := send("map", found); err != nil {
		return err
	}
	return send("done", struct{}{})
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
