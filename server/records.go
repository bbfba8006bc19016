package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/listing"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// withReader runs work on the library's present state.
func (s *Server) withReader(ctx context.Context, work func(index.Reader) error) error {
	reader, err := s.options.Library.Reader(untilAnswered(ctx))
	if err != nil {
		return fmt.Errorf("read library: %w", err)
	}
	defer closeReader(reader)
	return work(reader)
}

// untilAnswered is the context for what takes moments. It does not end with the request's
// own, which ends early where the server cuts off a body that nobody reads.
func untilAnswered(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// closeReader lets go of a reader: an error loses nothing.
func closeReader(reader index.Reader) { _ = reader.Close() }

// recordIn gives a record, or a problem where there is none.
func recordIn(ctx context.Context, reader index.Reader, id index.ID) (*index.Record, error) {
	record, err := index.One(reader.Records(untilAnswered(ctx), []index.ID{id}))
	if err != nil {
		return nil, fmt.Errorf("read record %s: %w", id, err)
	}
	if record == nil {
		return nil, noSuchRecord(id)
	}
	return record, nil
}

func noSuchRecord(id index.ID) error {
	return problem.Newf(problem.NotFound, "there is no record %s", id)
}

func (s *Server) getRecord(c echo.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	return s.sendRecord(c, http.StatusOK, id)
}

func (s *Server) sendRecord(c echo.Context, status int, id index.ID) error {
	return s.withReader(c.Request().Context(), func(reader index.Reader) error {
		record, err := recordIn(c.Request().Context(), reader, id)
		if err != nil {
			return err
		}
		return sendJSON(c, status, wire.RecordOf(record))
	})
}

type listQuery struct {
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor"`
	Sort   string `json:"sort"`
	Facets bool   `json:"facets"`
}

func (s *Server) listRecords(c echo.Context) error {
	var query listQuery
	filter, err := s.readFiltered(c, &query)
	if err != nil {
		return err
	}
	return s.sendRecords(c, query, filter)
}

func (s *Server) listTexts(c echo.Context) error {
	query := listQuery{Sort: "added_descending"}
	if err := s.readQuery(c, &query); err != nil {
		return err
	}
	return s.sendRecords(c, query, index.Filter{Kinds: []index.Kind{index.KindText}})
}

// orderOf is the order of a name that the API document lists; newest first otherwise.
func orderOf(name string) index.Order {
	switch name {
	case "date_ascending":
		return index.OrderDateAscending
	case "added_descending":
		return index.OrderNewest
	case "added_ascending":
		return index.OrderAdded
	}
	return index.OrderDateDescending
}

func (s *Server) sendRecords(c echo.Context, query listQuery, filter index.Filter) error {
	order := orderOf(query.Sort)
	after, continued, err := listing.ReadCursor(query.Cursor, order)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	return s.withReader(c.Request().Context(), func(reader index.Reader) error {
		records, err := s.listings.All(ctx, reader, filter, order)
		if err != nil {
			return err
		}
		total := len(records)
		if continued {
			records = after.Rest(records)
		}
		left := len(records)
		records = records[:min(len(records), query.Limit)]
		list := wire.RecordList{Records: make([]wire.Record, len(records)), Total: total}
		for i, record := range records {
			list.Records[i] = wire.RecordOf(record)
		}
		if len(records) > 0 && len(records) < left {
			list.Next = listing.PositionOf(order, records[len(records)-1]).Cursor()
		}
		if query.Facets {
			facets, err := reader.Facets(ctx, filter)
			if err != nil {
				return fmt.Errorf("count facets: %w", err)
			}
			list.Facets = wire.FacetsOf(facets)
		}
		return sendJSON(c, http.StatusOK, list)
	})
}

// deleteRecord removes a record. A file that came by upload is the server's own
// and goes with it; the user's files stay.
func (s *Server) deleteRecord(c echo.Context) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	if err := s.uploadStore.Remove(c.Request().Context(), id); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) tagRecord(c echo.Context) error {
	return s.changeTag(c, wire.CleanTag, index.Tag)
}

func (s *Server) untagRecord(c echo.Context) error {
	return s.changeTag(c, wire.KnownTag, index.Untag)
}
