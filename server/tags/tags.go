// Package tags changes the tags of records, one of one record or several of many in one commit, and lists tags and people.
package tags

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/wire"
)

// Room is what changing tags needs.
type Room struct {
	Library api.Library
	Bodies  api.Bodies
	// Tag changes the tags of one record that passes a check.
	Tag func(ctx context.Context, wanted index.TagChange, check func(*index.Record) error) error
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	const one = "/api/v1/records/{id}/tags/{tag}"
	return []api.Route{
		{Method: http.MethodPut, Path: one, Class: api.Read, Handler: r.tagRecord},
		{Method: http.MethodDelete, Path: one, Class: api.Read, Handler: r.untagRecord},
		{Method: http.MethodGet, Path: "/api/v1/tags", Class: api.Read, Handler: r.listTags},
		{Method: http.MethodGet, Path: "/api/v1/people", Class: api.Read, Handler: r.listPeople},
		{Method: http.MethodPost, Path: "/api/v1/tags", Class: api.Read, Handler: r.changeTags},
	}
}

func (r Room) tagRecord(c echo.Context) error {
	return r.changeTag(c, wire.CleanTag, func(id index.ID, tag string) index.TagChange { return index.TagChange{ID: id, Add: []string{tag}} })
}

func (r Room) untagRecord(c echo.Context) error {
	return r.changeTag(c, wire.KnownTag, func(id index.ID, tag string) index.TagChange { return index.TagChange{ID: id, Remove: []string{tag}} })
}

func (r Room) changeTag(c echo.Context, clean func(field, tag string) (string, error), changeOf func(index.ID, string) index.TagChange) error {
	id, err := api.RecordID(c)
	if err != nil {
		return err
	}
	tag, err := api.Segment(c, "tag")
	if err != nil {
		return err
	}
	if tag, err = clean("tag", tag); err != nil {
		return err
	}
	if err := r.Tag(c.Request().Context(), changeOf(id, tag), api.Precondition(c)); err != nil {
		return fmt.Errorf("change tag: %w", err)
	}
	record, err := r.Library.Record(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return api.SendRecord(c, http.StatusOK, record)
}

// changeTags tags and untags many records in one commit.
func (r Room) changeTags(c echo.Context) error {
	var asked struct {
		IDs    []string `json:"ids"`
		Add    []string `json:"add"`
		Remove []string `json:"remove"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
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
	ids, err := wire.ParseIDs("ids", asked.IDs)
	if err != nil {
		return err
	}
	batch := index.Batch{}
	for _, id := range ids {
		batch.Tags = append(batch.Tags, index.TagChange{ID: id, Add: add, Remove: remove})
	}
	if err := r.Library.CheckRecords(c.Request().Context(), "ids", ids...); err != nil {
		return err
	}
	if _, err := r.Library.Write(c.Request().Context(), batch); err != nil {
		return fmt.Errorf("change tags: %w", err)
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Changed int `json:"changed"`
	}{len(ids)})
}
