// Package records lists records page by page, sends and removes them, and adds the texts of callers.
package records

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/ingest/textrecord"
	"mekiki/server/api"
	"mekiki/server/listing"
	"mekiki/server/wire"
)

// Room is what listing, reading, adding and removing records needs.
type Room struct {
	Library api.Library
	Bodies  api.Bodies
	Compute api.Compute
	// AddTexts brings in texts and gives their records, in order; nil means that none are taken.
	AddTexts func(ctx context.Context, texts []textrecord.Text) ([]index.ID, error)
	// Delete puts a record that passes a check in the trash, or removes it for good, and its file where that is the
	// server's own.
	Delete func(ctx context.Context, id index.ID, permanent bool, check func(*index.Record) error) error
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodGet, Path: "/api/v1/records", Class: api.Read, Handler: r.listRecords},
		{Method: http.MethodGet, Path: "/api/v1/records/{id}", Class: api.Read, Handler: r.getRecord},
		{Method: http.MethodDelete, Path: "/api/v1/records/{id}", Class: api.Read, Handler: r.deleteRecord},
		{Method: http.MethodGet, Path: "/api/v1/texts", Class: api.Read, Handler: r.listTexts},
		{Method: http.MethodPost, Path: "/api/v1/texts", Class: api.Search, Handler: r.addTexts},
	}
}

func (r Room) getRecord(c echo.Context) error {
	id, err := api.RecordID(c)
	if err != nil {
		return err
	}
	record, err := r.Library.Record(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return api.SendRecord(c, http.StatusOK, record)
}

type listQuery struct {
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor"`
	Sort   string `json:"sort"`
	Facets bool   `json:"facets"`
	// IDs limit the list to some records.
	IDs []string `json:"id"`
}

func (r Room) listRecords(c echo.Context) error {
	var query listQuery
	filter, err := api.ReadFiltered(c, &query)
	if err != nil {
		return err
	}
	for _, text := range query.IDs {
		id, err := wire.ParseID("id", text)
		if err != nil {
			return err
		}
		filter.IDs = append(filter.IDs, id)
	}
	return r.sendRecords(c, query, filter)
}

func (r Room) listTexts(c echo.Context) error {
	query := listQuery{Sort: "added_descending"}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	return r.sendRecords(c, query, index.Filter{Kinds: []index.Kind{index.KindText}})
}

func (r Room) sendRecords(c echo.Context, query listQuery, filter index.Filter) error {
	order := listing.OrderOf(query.Sort)
	behind, err := listing.ReadCursor(query.Cursor, order)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	return r.Library.Read(ctx, func(reader index.Reader) error {
		// The one beyond the page tells whether another page follows.
		records, total, err := reader.List(ctx, filter, index.Page{Behind: behind, Limit: query.Limit + 1, Order: order})
		if err != nil {
			return err
		}
		found := len(records)
		records = records[:min(found, query.Limit)]
		list := wire.RecordList{Records: make([]wire.Record, len(records)), Total: total}
		for i, record := range records {
			list.Records[i] = wire.Listed(record)
		}
		if len(records) > 0 && len(records) < found {
			list.Next = listing.Cursor(order, index.PlaceOf(records[len(records)-1]))
			list.Cursor = list.Next
		}
		if query.Facets {
			facets, err := reader.Facets(ctx, filter)
			if err != nil {
				return fmt.Errorf("count facets: %w", err)
			}
			list.Facets = wire.FacetsOf(facets)
		}
		return api.SendJSON(c, http.StatusOK, list)
	})
}

// deleteRecord puts a record in the trash, or removes it for good. A file that came by upload is the server's own
// and goes with it then; the user's files stay.
func (r Room) deleteRecord(c echo.Context) error {
	id, err := api.RecordID(c)
	if err != nil {
		return err
	}
	var query struct {
		Permanent bool `json:"permanent"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	if err := r.Delete(c.Request().Context(), id, query.Permanent, api.Precondition(c)); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
