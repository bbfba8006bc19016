package editing

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/listing"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// collection is one collection as it is listed.
type collection struct {
	Name string `json:"name"`
	// Count counts its records that are neither hidden nor in the trash.
	Count int `json:"count"`
	// Cover is an image to show for it: a favourite, or else the newest; absent when it has none to show.
	Cover string `json:"cover,omitempty"`
	// First and Last are the dates of its oldest and newest record.
	First *time.Time `json:"first,omitempty"`
	Last  *time.Time `json:"last,omitempty"`

	favourite bool // of the cover
}

// collectionsIn lists the collections, by name.
func collectionsIn(ctx context.Context, reader index.Reader) ([]*collection, error) {
	names, err := namesIn(ctx, reader)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	known := make(map[string]*collection, len(names))
	for _, name := range names {
		known[name] = &collection{Name: name}
	}
	records, _, err := reader.List(ctx, index.Filter{Collections: names}, index.Page{Order: index.OrderDateDescending})
	if err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	for _, record := range records {
		for _, name := range record.Collections() {
			if found := known[name]; found != nil {
				found.add(record)
			}
		}
	}
	list := make([]*collection, 0, len(names))
	for _, found := range known {
		list = append(list, found)
	}
	slices.SortFunc(list, func(a, b *collection) int { return byName(a, b.Name) })
	return list, nil
}

// byName is the order of collections.
func byName(k *collection, name string) int {
	return cmp.Or(strings.Compare(strings.ToLower(k.Name), strings.ToLower(name)), strings.Compare(k.Name, name))
}

// collectionKeys pages through collections.
var collectionKeys = listing.Keys[*collection]{
	Name:   "collections",
	KeyOf:  func(k *collection) string { return k.Name },
	Behind: func(k *collection, name string) bool { return byName(k, name) > 0 },
}

// add counts a record. They come newest first.
func (k *collection) add(record *index.Record) {
	k.Count++
	if record.Kind == index.KindImage && (k.Cover == "" || record.Favourite() && !k.favourite) {
		k.Cover, k.favourite = record.ID.String(), record.Favourite()
	}
	date := wire.Time(record.Date())
	if k.Last == nil {
		k.Last = date
	}
	k.First = date
}

// namesIn lists the names of the collections, of what is hidden and in the trash too.
func namesIn(ctx context.Context, reader index.Reader) ([]string, error) {
	facets, err := reader.Facets(ctx, index.Filter{Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude})
	if err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	names := make([]string, len(facets.Collections))
	for i, count := range facets.Collections {
		names[i] = count.Value
	}
	return names, nil
}

// knownNames gives names the case that collections of these names have.
func (r Room) knownNames(ctx context.Context, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	written := slices.Clone(names)
	err := r.Library.Read(ctx, func(reader index.Reader) error {
		known, err := namesIn(ctx, reader)
		for i, name := range written {
			if at := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) }); at >= 0 {
				written[i] = known[at]
			}
		}
		return err
	})
	return written, err
}

// listCollections lists all collections, or a page of them where a limit is given.
func (r Room) listCollections(c echo.Context) error {
	query := struct {
		Limit  int    `json:"limit"`
		Cursor string `json:"cursor"`
	}{Limit: math.MaxInt}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return r.Library.Read(ctx, func(reader index.Reader) error {
		list, err := collectionsIn(ctx, reader)
		if err != nil {
			return err
		}
		page, next, err := collectionKeys.Page(list, query.Limit, query.Cursor)
		if err != nil {
			return err
		}
		return api.SendJSON(c, http.StatusOK, struct {
			Collections []*collection `json:"collections"`
			Total       int           `json:"total"`
			Cursor      string        `json:"cursor,omitempty"`
		}{append([]*collection{}, page...), len(list), next})
	})
}

func (r Room) renameCollection(c echo.Context) error {
	var asked struct {
		Name string `json:"name"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	name, err := wire.CleanTag("name", asked.Name)
	if err != nil {
		return err
	}
	return r.changeCollection(c, name)
}

func (r Room) deleteCollection(c echo.Context) error { return r.changeCollection(c, "") }

// changeCollection gives the collection of the address another name, or takes its records out when that is "".
func (r Room) changeCollection(c echo.Context, next string) error {
	name, err := api.Segment(c, "name")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var ids []index.ID
	renamed := renaming{name, next}
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		if known, err := namesIn(ctx, reader); err != nil {
			return err
		} else if next == "" || !strings.EqualFold(name, next) && slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, next) }) {
			renamed = renaming{} // it is gone, or one with another
		}
		filter := index.Filter{Collections: []string{name}, Hidden: index.ChoiceInclude, Trash: index.ChoiceInclude}
		records, _, err := reader.List(ctx, filter, index.Page{})
		for _, record := range records {
			if slices.ContainsFunc(record.Collections(), func(k string) bool { return strings.EqualFold(k, name) }) {
				ids = append(ids, record.ID)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return problem.Newf(problem.NotFound, "there is no collection %q", name)
	}
	done, err := r.editor.rename(ctx, "", ids, func(record *index.Record) change {
		left := index.ChangeWords(record.Collections(), nil, []string{name})
		return change{given: index.GivenChange{Set: index.GivenCollections, To: index.Given{Collections: append(left, next)}}}
	}, renamed)
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, done)
}
