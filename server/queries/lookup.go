package queries

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/lookup"
	"mekiki/server/api"
)

type lookupJSON struct {
	api.About
	rerankJSON
	Limit    int      `json:"limit"`
	Labels   []string `json:"labels"`
	Template string   `json:"template"`
}

// lookup finds the library's texts for an image.
func (r Room) lookup(c echo.Context) error { return r.answerLookup(c) }

// labels chooses among the caller's texts for an image.
func (r Room) labels(c echo.Context) error { return r.answerLookup(c) }

// answerLookup serves both: the API document lets only the second have labels,
// and makes it have some.
func (r Room) answerLookup(c echo.Context) error {
	asked := lookupJSON{}
	from, filter, err := r.Bodies.ReadAbout(c, &asked, &asked.About)
	if err != nil {
		return err
	}
	if len(asked.Labels) > 0 && asked.Limit == 0 {
		asked.Limit = 100
	}
	return r.Compute.Do(c, func(ctx context.Context) error {
		request, err := r.lookupRequest(ctx, asked, from, filter)
		if err != nil {
			return err
		}
		response, err := r.Searcher.Lookup(ctx, request)
		if err != nil {
			return err
		}
		r.Measure(response.Timings)
		return api.SendJSON(c, http.StatusOK, response)
	})
}

func (r Room) lookupRequest(ctx context.Context, asked lookupJSON, from api.Source, filter index.Filter) (lookup.Request, error) {
	picture, err := r.Pictures.Decode(ctx, from.Data)
	return lookup.Request{
		Image: picture, Record: from.Record, Crop: from.Crop, Labels: asked.Labels, Template: asked.Template,
		Filter: filter, Limit: asked.Limit, RerankBudget: asked.budget(), RerankCount: asked.Count, Show: contract.Show(asked.Show),
	}, err
}
