package editing

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/wire"
)

// patchJSON is a JSON merge patch (RFC 7396) of what people give one record. A member that is null is taken away: what the
// file says holds again, or nothing does.
type patchJSON struct {
	Title       member[string]   `json:"title"`
	Description member[string]   `json:"description"`
	Date        member[*string]  `json:"date"`
	Rating      member[*int]     `json:"rating"`
	Favourite   member[bool]     `json:"favourite"`
	Hidden      member[bool]     `json:"hidden"`
	Tags        member[[]string] `json:"tags"`
	Collections member[[]string] `json:"collections"`
	People      member[[]string] `json:"people"`
}

// member is a member of a patch: null is the zero value, and one that is missing is not there.
type member[T any] struct {
	there bool
	value T
}

// UnmarshalJSON reads a member that is there.
func (m *member[T]) UnmarshalJSON(data []byte) error {
	m.there = true
	return json.Unmarshal(data, &m.value)
}

func (r Room) patchRecord(c echo.Context) error {
	id, err := api.RecordID(c)
	if err != nil {
		return err
	}
	var asked patchJSON
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	wanted, err := asked.change()
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if wanted.given.To.Collections, err = r.knownNames(ctx, wanted.given.To.Collections); err != nil {
		return err
	}
	check := api.Precondition(c)
	_, err = r.editor.change(ctx, "id", []index.ID{id}, func(record *index.Record) change {
		wanted.refused = check(record)
		return wanted
	})
	if err != nil {
		return err
	}
	record, err := r.Library.Record(ctx, id)
	if err != nil {
		return err
	}
	return api.SendRecord(c, http.StatusOK, record)
}

// change is what the patch makes of a record.
func (j patchJSON) change() (wanted change, err error) {
	set := &wanted.given
	for member, there := range map[index.GivenMembers]bool{
		index.GivenTitle: j.Title.there, index.GivenDate: j.Date.there, index.GivenRating: j.Rating.there,
		index.GivenFavourite: j.Favourite.there, index.GivenHidden: j.Hidden.there, index.GivenCollections: j.Collections.there,
		index.GivenDescription: j.Description.there, index.GivenPeople: j.People.there,
	} {
		if there {
			set.Set |= member
		}
	}
	set.To = index.Given{Title: strings.TrimSpace(j.Title.value), Description: strings.TrimSpace(j.Description.value), Rating: j.Rating.value, Favourite: j.Favourite.value, Hidden: j.Hidden.value}
	if text := j.Date.value; text != nil {
		if set.To.Date, err = readDate(*text); err != nil {
			return wanted, err
		}
	}
	if set.To.Collections, err = wire.CleanTags("collections", j.Collections.value); err != nil {
		return wanted, err
	}
	if set.To.People, err = wire.CleanTags("people", j.People.value); err != nil {
		return wanted, err
	}
	wanted.tags.Exactly = j.Tags.there
	wanted.tags.Add, err = wire.CleanTags("tags", j.Tags.value)
	return wanted, err
}
