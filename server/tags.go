package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

func (s *Server) changeTag(c echo.Context, clean func(field, tag string) (string, error), change func(context.Context, index.Writer, []index.ID, ...string) error) error {
	id, err := recordID(c)
	if err != nil {
		return err
	}
	tag, err := segment(c, "tag")
	if err != nil {
		return err
	}
	if tag, err = clean("tag", tag); err != nil {
		return err
	}
	if err := s.checkRecords(c.Request().Context(), "id", id); err != nil {
		return err
	}
	if err := change(c.Request().Context(), s.options.Library, []index.ID{id}, tag); err != nil {
		return fmt.Errorf("change tag: %w", err)
	}
	return s.sendRecord(c, http.StatusOK, id)
}

// checkRecords fails when one of the records is not there.
func (s *Server) checkRecords(ctx context.Context, field string, ids ...index.ID) error {
	return s.withReader(ctx, func(reader index.Reader) error {
		records, err := reader.Records(untilAnswered(ctx), ids)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if records[i] == nil {
				p := problem.Newf(problem.NotFound, "there is no record %s", id)
				p.Errors = []problem.Field{{Field: field, Detail: p.Detail}}
				return p
			}
		}
		return nil
	})
}

// changeTags tags and untags many records in one commit.
func (s *Server) changeTags(c echo.Context) error {
	var asked struct {
		IDs    []string `json:"ids"`
		Add    []string `json:"add"`
		Remove []string `json:"remove"`
	}
	if err := s.readJSON(c, &asked); err != nil {
		return err
	}
	add, err := wire.CleanTags("add", asked.Add)
	if err != nil {
		return err
	}
	remove, err := wire.EachTag("remove", asked.Remove, wire.KnownTag)
	if err != nil {
		return err
	}
	ids := make([]index.ID, len(asked.IDs))
	batch := index.Batch{}
	for i, text := range asked.IDs {
		if ids[i], err = wire.ParseID(fmt.Sprintf("ids[%d]", i), text); err != nil {
			return err
		}
		batch.Tags = append(batch.Tags, index.TagChange{ID: ids[i], Add: add, Remove: remove})
	}
	if err := s.checkRecords(c.Request().Context(), "ids", ids...); err != nil {
		return err
	}
	if _, err := s.options.Library.Write(c.Request().Context(), batch); err != nil {
		return fmt.Errorf("change tags: %w", err)
	}
	return sendJSON(c, http.StatusOK, struct {
		Changed int `json:"changed"`
	}{len(ids)})
}
