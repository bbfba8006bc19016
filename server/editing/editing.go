// Package editing changes what people give to records: tags, ratings, titles, dates, favourites, collections, what is
// hidden and what is in the trash, for any number of records in one commit. A change can be undone for an hour.
//
//	POST /api/v1/edits ─► one commit ─► {"changed": 5000, "undo": "…"} ─► POST /api/v1/undo/… ─► as before
package editing

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/tickets"
	"mekiki/server/wire"
)

// Options are what a room needs.
type Options struct {
	Library api.Library
	Bodies  api.Bodies
	// Remove removes records for good, and their files where these are the server's own.
	Remove func(ctx context.Context, records []*index.Record) error
	// Renamed is told when a collection has another name, which no other one has; it may be nil.
	Renamed func(from, to string)
	// ReadOnly is the problem with changes at present, or nil.
	ReadOnly func() error
	Now      func() time.Time
	Logger   *slog.Logger
}

// Room is the area of the API in which records are changed. Make it with [New].
type Room struct {
	Options
	editor *editor
}

// New makes a room.
func New(options Options) Room {
	options.Bodies.JSONBytes = max(options.Bodies.JSONBytes, BodyBytes)
	return Room{options, &editor{library: options.Library, renamed: options.Renamed,
		undos: &tickets.Tickets[done]{For: undoFor, Most: keptUndos, Weight: keptRecords, Now: options.Now}}}
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	const (
		trash, collection, saved = "/api/v1/trash", "/api/v1/collections/{name}", "/api/v1/saved-searches"
	)
	return []api.Route{
		{Method: http.MethodPost, Path: "/api/v1/edits", Class: api.Read, Handler: r.editRecords},
		{Method: http.MethodPost, Path: "/api/v1/deletions", Class: api.Read, Handler: r.deleteRecords},
		{Method: http.MethodPatch, Path: "/api/v1/records/{id}", Class: api.Read, Handler: r.patchRecord},
		{Method: http.MethodPost, Path: "/api/v1/undo/{token}", Class: api.Read, Handler: r.undo},
		{Method: http.MethodGet, Path: trash, Class: api.Read, Handler: r.listTrash},
		{Method: http.MethodPost, Path: trash, Class: api.Read, Handler: r.trash},
		{Method: http.MethodPost, Path: trash + "/restore", Class: api.Read, Handler: r.restore},
		{Method: http.MethodDelete, Path: trash, Class: api.Read, Handler: r.emptyTrash},
		{Method: http.MethodGet, Path: "/api/v1/collections", Class: api.Read, Handler: r.listCollections},
		{Method: http.MethodPost, Path: collection, Class: api.Read, Handler: r.renameCollection},
		{Method: http.MethodDelete, Path: collection, Class: api.Read, Handler: r.deleteCollection},
		{Method: http.MethodGet, Path: saved, Class: api.Read, Handler: r.listSearches},
		{Method: http.MethodPost, Path: saved, Class: api.Read, Handler: r.saveSearch},
		{Method: http.MethodDelete, Path: saved + "/{name}", Class: api.Read, Handler: r.dropSearch},
	}
}

// Edit is a request to change records: the JSON of POST /api/v1/edits.
type Edit struct {
	IDs               []string `json:"ids"`
	AddTags           []string `json:"add_tags,omitempty"`
	RemoveTags        []string `json:"remove_tags,omitempty"`
	AddCollections    []string `json:"add_collections,omitempty"`
	RemoveCollections []string `json:"remove_collections,omitempty"`
	Rating            *int     `json:"rating,omitempty"`
	Favourite         *bool    `json:"favourite,omitempty"`
	Title             *string  `json:"title,omitempty"`
	Date              *string  `json:"date,omitempty"`
	Hidden            *bool    `json:"hidden,omitempty"`
	Description       *string  `json:"description,omitempty"`
	AddPeople         []string `json:"add_people,omitempty"`
	RemovePeople      []string `json:"remove_people,omitempty"`
	Clear             []string `json:"clear,omitempty"`
}

func (r Room) editRecords(c echo.Context) error {
	var asked Edit
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	done, err := r.Apply(c.Request().Context(), asked)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, done)
}

// Apply makes the changes of a request in one commit. Errors are problems.
func (r Room) Apply(ctx context.Context, asked Edit) (Outcome, error) {
	ids, err := wire.ParseIDs("ids", asked.IDs)
	if err != nil {
		return Outcome{}, err
	}
	wanted, err := asked.change()
	if err != nil {
		return Outcome{}, err
	}
	if wanted.given.AddCollections, err = r.knownNames(ctx, wanted.given.AddCollections); err != nil {
		return Outcome{}, err
	}
	return r.editor.edit(ctx, "ids", ids, func(*index.Record) change { return wanted })
}

// edit makes changes and answers with the outcome.
func (r Room) edit(c echo.Context, ids []index.ID, changeOf func(*index.Record) change) error {
	done, err := r.editor.edit(c.Request().Context(), "ids", ids, changeOf)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, done)
}

func (r Room) undo(c echo.Context) error {
	token, err := api.Segment(c, "token")
	if err != nil {
		return err
	}
	done, err := r.editor.undo(c.Request().Context(), token)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, done)
}

// change is what a request asks for, of every record.
func (j Edit) change() (wanted change, err error) {
	for _, list := range []struct {
		field  string
		given  []string
		clean  func(field, text string) (string, error)
		target *[]string
	}{
		{"add_tags", j.AddTags, wire.CleanTag, &wanted.tags.Add}, {"remove_tags", j.RemoveTags, wire.KnownTag, &wanted.tags.Remove},
		{"add_collections", j.AddCollections, wire.CleanTag, &wanted.given.AddCollections},
		{"remove_collections", j.RemoveCollections, wire.KnownTag, &wanted.given.RemoveCollections},
		{"add_people", j.AddPeople, wire.CleanTag, &wanted.given.AddPeople}, {"remove_people", j.RemovePeople, wire.KnownTag, &wanted.given.RemovePeople},
	} {
		if *list.target, err = wire.EachTag(list.field, list.given, list.clean); err != nil {
			return wanted, err
		}
	}
	set := &wanted.given
	if j.Rating != nil {
		set.Set, set.To.Rating = set.Set|index.GivenRating, j.Rating
	}
	if j.Favourite != nil {
		set.Set, set.To.Favourite = set.Set|index.GivenFavourite, *j.Favourite
	}
	if j.Hidden != nil {
		set.Set, set.To.Hidden = set.Set|index.GivenHidden, *j.Hidden
	}
	if j.Title != nil {
		set.Set, set.To.Title = set.Set|index.GivenTitle, strings.TrimSpace(*j.Title)
	}
	if j.Description != nil {
		set.Set, set.To.Description = set.Set|index.GivenDescription, strings.TrimSpace(*j.Description)
	}
	if j.Date != nil {
		set.Set |= index.GivenDate
		if set.To.Date, err = readDate(*j.Date); err != nil {
			return wanted, err
		}
	}
	for _, member := range j.Clear {
		set.Set |= map[string]index.GivenMembers{"rating": index.GivenRating, "title": index.GivenTitle, "date": index.GivenDate, "description": index.GivenDescription}[member]
	}
	return wanted, nil
}

// readDate reads what a clock showed.
func readDate(text string) (time.Time, error) {
	for _, layout := range []string{"2006", "2006-01", time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if date, err := time.Parse(layout, text); err == nil && date.Year() > 0 {
			return date, nil
		}
	}
	return time.Time{}, problem.Invalid("date", "is no date: write a year, a month, a day or a time, such as 1984, 1984-07, 1984-07-14 or 1984-07-14T18:30")
}
