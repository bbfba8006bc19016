package editing

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/wire"
)

// savedSearch is a search with a name.
type savedSearch struct {
	Name  string     `json:"name"`
	Query string     `json:"query"`
	Saved *time.Time `json:"saved,omitempty"`
}

func (r Room) listSearches(c echo.Context) error {
	return r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
		found, err := reader.SavedSearches(c.Request().Context())
		if err != nil {
			return err
		}
		list := make([]savedSearch, len(found))
		for i, search := range found {
			list[i] = savedSearch{search.Name, search.Query, wire.Time(search.Saved)}
		}
		return api.SendJSON(c, http.StatusOK, struct {
			Searches []savedSearch `json:"searches"`
		}{list})
	})
}

// saveSearch saves a search, in place of the one that it replaces.
func (r Room) saveSearch(c echo.Context) error {
	var asked struct {
		Name     string `json:"name"`
		Query    string `json:"query"`
		Replaces string `json:"replaces"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	name, err := wire.CleanTag("name", asked.Name)
	if err != nil {
		return err
	}
	search := index.SavedSearch{Name: name, Query: asked.Query}
	if err := search.Check(); err != nil {
		return problem.New(problem.InvalidRequest, err.Error())
	}
	batch := index.Batch{SaveSearches: []index.SavedSearch{search}}
	if replaced := strings.TrimSpace(asked.Replaces); replaced != "" && !strings.EqualFold(replaced, name) {
		batch.DropSearches = []string{replaced}
	}
	ctx := c.Request().Context()
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		known, err := reader.SavedSearches(ctx)
		there := slices.ContainsFunc(known, func(s index.SavedSearch) bool { return strings.EqualFold(s.Name, search.Name) })
		if err == nil && len(known) >= index.MaximumSearches && !there && len(batch.DropSearches) == 0 {
			err = problem.Newf(problem.Conflict, "%d searches are saved, and no more can be", len(known))
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err := r.Library.Write(ctx, batch); err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, savedSearch{Name: search.Name, Query: search.Query})
}

func (r Room) dropSearch(c echo.Context) error {
	name, err := searchName(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	err = r.Library.Read(ctx, func(reader index.Reader) error {
		known, err := reader.SavedSearches(ctx)
		if err == nil && !slices.ContainsFunc(known, func(s index.SavedSearch) bool { return strings.EqualFold(s.Name, name) }) {
			err = problem.Newf(problem.NotFound, "there is no saved search %q", name)
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err := r.Library.Write(ctx, index.Batch{DropSearches: []string{name}}); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func searchName(c echo.Context) (string, error) {
	name, err := api.Segment(c, "name")
	if err != nil {
		return "", err
	}
	return wire.CleanTag("name", name)
}
