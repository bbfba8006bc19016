package server

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/lookup"
)

type lookupJSON struct {
	aboutJSON
	rerankJSON
	Limit    int      `json:"limit"`
	Labels   []string `json:"labels"`
	Template string   `json:"template"`
}

// lookup finds the library's texts for an image.
func (s *Server) lookup(c echo.Context) error { return s.answerLookup(c) }

// labels chooses among the caller's texts for an image.
func (s *Server) labels(c echo.Context) error { return s.answerLookup(c) }

// answerLookup serves both: the API document lets only the second have labels,
// and makes it have some.
func (s *Server) answerLookup(c echo.Context) error {
	asked := lookupJSON{}
	from, filter, err := s.readAbout(c, &asked, &asked.aboutJSON)
	if err != nil {
		return err
	}
	if len(asked.Labels) > 0 && asked.Limit == 0 {
		asked.Limit = 100
	}
	return s.compute(c, func(ctx context.Context) error {
		request, err := s.lookupRequest(ctx, asked, from, filter)
		if err != nil {
			return err
		}
		response, err := s.options.Searcher.Lookup(ctx, request)
		if err != nil {
			return err
		}
		s.metrics.Search(response.Timings)
		return sendJSON(c, http.StatusOK, response)
	})
}

func (s *Server) lookupRequest(ctx context.Context, asked lookupJSON, from source, filter index.Filter) (lookup.Request, error) {
	picture, err := s.picture(ctx, from.data)
	return lookup.Request{
		Image: picture, Record: from.record, Crop: from.crop, Labels: asked.Labels, Template: asked.Template,
		Filter: filter, Limit: asked.Limit, RerankBudget: asked.budget(), RerankCount: asked.Count, Show: contract.Show(asked.Show),
	}, err
}
