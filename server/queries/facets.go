package queries

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/facets"
	"mekiki/search/contract"
	"mekiki/server/api"
)

// facetsJSON is a search, and which counts of its hits are wanted. Its Limit is of values.
type facetsJSON struct {
	searchJSON
	Of    []string `json:"of"`
	Under string   `json:"under"`
	Find  string   `json:"find"`
	Depth int      `json:"depth"`
}

func (j facetsJSON) query() facets.Query {
	return facets.Query{Of: j.Of, Under: j.Under, Find: j.Find, Depth: j.Depth, Limit: j.Limit}
}

func (j facetsJSON) request(from api.Source, filter index.Filter) contract.Request {
	request := j.searchJSON.request(from, filter)
	request.Limit = 0
	return request
}

// facets answers GET: everything is in the query.
func (r Room) facets(c echo.Context) error {
	var query struct {
		facetsJSON
		Query string `json:"q"`
		Crop  string `json:"crop"`
	}
	filter, err := api.ReadFiltered(c, &query)
	if err != nil {
		return err
	}
	from, err := query.fromQuery(query.Query, query.Crop)
	if err != nil {
		return err
	}
	asked := query.facetsJSON
	return inQuery(r.answerFacets(c, asked, asked.request(from, filter), from))
}

// facetsFull answers POST: JSON, or a form with an image.
func (r Room) facetsFull(c echo.Context) error {
	var asked facetsJSON
	from, filter, err := r.Bodies.ReadAbout(c, &asked, &asked.About)
	if err != nil {
		return err
	}
	request, err := asked.several(from, filter)
	if err != nil {
		return err
	}
	request.Limit = 0
	return r.answerFacets(c, asked, request, from)
}

func (r Room) answerFacets(c echo.Context, asked facetsJSON, request contract.Request, from api.Source) error {
	return r.Compute.Do(c, func(ctx context.Context) (err error) {
		if err := r.decode(ctx, &request, from); err != nil {
			return err
		}
		counted, err := r.Searcher.Facets(ctx, request, asked.query())
		if err != nil {
			return err
		}
		return api.SendJSON(c, http.StatusOK, counted)
	})
}
