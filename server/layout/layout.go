// Package layout sends what a page needs to lay out all pictures of a list at once: their ids, ratios and days, as columns.
package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/listing"
	"mekiki/server/transport"
)

// Room is what laying out needs.
type Room struct{ Library api.Library }

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{{Method: http.MethodGet, Path: "/api/v1/layout", Class: api.Read, Handler: r.getLayout}}
}

func (r Room) getLayout(c echo.Context) error {
	var query struct {
		Sort string `json:"sort"`
	}
	filter, err := api.ReadFiltered(c, &query)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	return r.Library.Read(ctx, func(reader index.Reader) error {
		columns, err := reader.Layout(ctx, filter, listing.OrderOf(query.Sort))
		if err != nil {
			return err
		}
		body := Encode(reader.Sequence(), columns)
		sum, header := sha256.Sum256(body), c.Response().Header()
		tag := `W/"` + hex.EncodeToString(sum[:12]) + `"` // weak, since compression changes the bytes
		header.Set("ETag", tag)
		header.Set("Cache-Control", "private, no-cache")
		if transport.MatchesTag(c.Request(), tag) {
			return c.NoContent(http.StatusNotModified)
		}
		return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, body)
	})
}

// Encode writes a layout as JSON. There may be very many numbers in it, of which encoding/json takes each for a
// surprise (go test ./server/layout -bench Encode).
func Encode(sequence uint64, columns index.Layout) []byte {
	body := make([]byte, 0, 64+len(columns.IDs)*24)
	body = strconv.AppendUint(append(body, `{"sequence":`...), sequence, 10)
	body = appendColumn(append(body, `,"ids":`...), columns.IDs, func(body []byte, id index.ID) []byte {
		return append(strconv.AppendUint(append(body, '"'), uint64(id), 10), '"')
	})
	body = appendColumn(append(body, `,"ratios":`...), columns.Ratios, func(body []byte, ratio uint32) []byte {
		return strconv.AppendUint(body, uint64(ratio), 10)
	})
	body = appendColumn(append(body, `,"days":`...), columns.Days, func(body []byte, day int32) []byte {
		if day == index.NoDay {
			return append(body, "null"...)
		}
		return strconv.AppendInt(body, int64(day), 10)
	})
	return append(body, '}', '\n')
}

func appendColumn[T any](body []byte, column []T, one func(body []byte, value T) []byte) []byte {
	body = append(body, '[')
	for i, value := range column {
		if i > 0 {
			body = append(body, ',')
		}
		body = one(body, value)
	}
	return append(body, ']')
}
