package server

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/problem"
)

// withSnapshot runs work on the library's present state.
func (s *Server) withSnapshot(work func(Snapshot) error) error {
	snapshot, err := s.options.Library.Snapshot()
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	defer closeSnapshot(snapshot)
	return work(snapshot)
}

// closeSnapshot lets go of a snapshot. It was only read: an error loses nothing.
func closeSnapshot(snapshot Snapshot) { _ = snapshot.Close() }

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
	return s.withSnapshot(func(snapshot Snapshot) error {
		record, found := snapshot.Record(id)
		if !found {
			return noSuchRecord(id)
		}
		return sendJSON(c, status, showRecord(record))
	})
}

type listQuery struct {
	filterQuery
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor"`
	Sort   string `json:"sort"`
	Facets bool   `json:"facets"`
}

func (s *Server) listRecords(c echo.Context) error {
	var query listQuery
	if err := s.readQuery(c, &query); err != nil {
		return err
	}
	filter, err := query.filter()
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

// orders are the orders in which records can be listed.
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
	after, continued, err := readCursor(query.Cursor, order)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	return s.withSnapshot(func(snapshot Snapshot) error {
		records, err := s.listings.list(ctx, snapshot, filter, order)
		if err != nil {
			return err
		}
		total := len(records)
		if continued {
			records = after.rest(records)
		}
		left := len(records)
		records = records[:min(len(records), query.Limit)]
		list := recordListJSON{Records: make([]recordJSON, len(records)), Total: total}
		for i, record := range records {
			list.Records[i] = showRecord(record)
		}
		if len(records) > 0 && len(records) < left {
			list.Next = positionOf(order, records[len(records)-1]).cursor()
		}
		if query.Facets {
			facets, err := snapshot.Facets(ctx, filter)
			if err != nil {
				return fmt.Errorf("count facets: %w", err)
			}
			list.Facets = showFacets(facets)
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
	if err := s.removeRecord(c.Request().Context(), id); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) tagRecord(c echo.Context) error {
	return s.changeTag(c, cleanTag, s.options.Library.Tag)
}

func (s *Server) untagRecord(c echo.Context) error {
	return s.changeTag(c, knownTag, s.options.Library.Untag)
}
