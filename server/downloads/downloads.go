// Package downloads hands out what a selection of records is in files: the pictures themselves in an archive, or a table
// of what is known of them. The list of records comes by POST, and the file under an address that a browser can open:
//
//	POST /api/v1/downloads {"ids": […], "form": "zip"} ─► {"url": "/api/v1/downloads/…"} ─► GET, streamed
package downloads

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/editing"
	"mekiki/server/problem"
	"mekiki/server/tickets"
	"mekiki/server/transport"
	"mekiki/server/wire"
)

// Options are what a room needs.
type Options struct {
	Library api.Library
	Bodies  api.Bodies
	Now     func() time.Time
}

// Room is the area of the API that makes files of records. Make it with [New].
type Room struct {
	Options
	waiting *tickets.Tickets[download] // for somebody to fetch
}

// New makes a room.
func New(options Options) Room {
	options.Bodies.JSONBytes = max(options.Bodies.JSONBytes, editing.BodyBytes)
	return Room{options, &tickets.Tickets[download]{For: madeFor, Most: keptDownloads, Weight: keptRecords, Now: options.Now}}
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodPost, Path: "/api/v1/downloads", Class: api.Read, Handler: r.make},
		{Method: http.MethodGet, Path: "/api/v1/downloads/{token}", Class: api.Stream, Handler: r.send},
	}
}

// download is what was asked for, until somebody fetches it.
type download struct {
	form   string
	ids    []index.ID
	scores []float64 // of the records; nil for none
}

// form is a kind of file that records are made into.
type form struct {
	kind, name string
	write      func(ctx context.Context, w *writer, reader index.Reader, d download) error
}

var forms = map[string]form{
	"zip":   {"application/zip", "mekiki.zip", writeZip},
	"csv":   {"text/csv; charset=utf-8", "mekiki.csv", writeCSV},
	"json":  {"application/json", "mekiki.json", writeJSON},
	"paths": {"text/plain; charset=utf-8", "mekiki.txt", writePaths},
}

func (r Room) make(c echo.Context) error {
	var asked struct {
		IDs    []string  `json:"ids"`
		Form   string    `json:"form"`
		Scores []float64 `json:"scores"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	if len(asked.Scores) > 0 && len(asked.Scores) != len(asked.IDs) {
		return problem.Invalid("scores", "must be as many as the ids")
	}
	ids, err := wire.ParseIDs("ids", asked.IDs)
	if err != nil {
		return err
	}
	if err := r.Library.CheckRecords(c.Request().Context(), "ids", ids...); err != nil {
		return err
	}
	token, until := r.waiting.Put(download{asked.Form, ids, asked.Scores}, len(ids))
	address := "/api/v1/downloads/" + token
	c.Response().Header().Set(echo.HeaderLocation, address)
	return api.SendJSON(c, http.StatusCreated, struct {
		URL     string    `json:"url"`
		Expires time.Time `json:"expires"`
	}{address, until.UTC()})
}

func (r Room) send(c echo.Context) error {
	token, err := api.Segment(c, "token")
	if err != nil {
		return err
	}
	d, found := r.waiting.Get(token)
	if !found {
		return problem.New(problem.NotFound, "this download is not there any more; ask for it again")
	}
	made := forms[d.form]
	ctx := c.Request().Context()
	return r.Library.Read(ctx, func(reader index.Reader) error {
		header := c.Response().Header()
		header.Set(echo.HeaderContentType, made.kind)
		header.Set(echo.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": made.name}))
		header.Set("Cache-Control", "private, no-store")
		w := &writer{response: c.Response(), controller: http.NewResponseController(c.Response())}
		if err := made.write(ctx, w, reader, d); err != nil {
			if c.Response().Committed {
				w.cutOff()
			}
			return fmt.Errorf("send %s: %w", d.form, err)
		}
		return nil
	})
}

// writer writes an answer, and moves the connection's deadline as it is taken.
type writer struct {
	response   http.ResponseWriter
	controller *http.ResponseController
	written    int64 // since the deadline was moved
	moved      bool
}

// Write implements io.Writer.
func (w *writer) Write(data []byte) (int, error) {
	if w.written += int64(len(data)); !w.moved || w.written > transport.BodyRate {
		w.moved, w.written = true, 0
		allowed := writeTime + time.Duration(len(data)/transport.BodyRate)*time.Second
		if err := w.controller.SetWriteDeadline(time.Now().Add(allowed)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, err
		}
	}
	return w.response.Write(data)
}

// cutOff has the connection end before the answer does, so that nobody takes the part that was sent for all of it.
func (w *writer) cutOff() {
	_ = w.controller.SetWriteDeadline(time.Unix(1, 0)) // a connection without deadlines has no end that says so
}

// each visits the records of a download that are still there, and their scores; nil where
// there are none.
func each(ctx context.Context, reader index.Reader, d download, visit func(record *index.Record, score *float64) error) error {
	at := 0
	for some := range slices.Chunk(d.ids, rowsAtOnce) {
		records, err := reader.Records(ctx, some)
		if err != nil {
			return err
		}
		for i, record := range records {
			if record == nil {
				continue
			}
			var score *float64
			if d.scores != nil {
				score = &d.scores[at+i]
			}
			if err := visit(record, score); err != nil {
				return err
			}
		}
		at += len(some)
	}
	return nil
}
