package queries

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/scoring"
	"mekiki/server/api"
	"mekiki/server/suggest"
)

// Correct proposes another query where a first page has few hits, or none that is sure, and the library lacks a word of
// the query but has one like it.
func (r Room) Correct(ctx context.Context, response *contract.Response) {
	final := response.Stage.Final()
	if !final || response.Query == "" || response.Offset > 0 || response.Total >= fewHits && response.Verdict == scoring.VerdictStrong {
		return
	}
	// The hits are the answer; that nothing can be proposed is no failure of it.
	_ = r.Library.Read(ctx, func(reader index.Reader) error {
		known, err := r.Suggester.For(ctx, reader)
		if err == nil {
			response.DidYouMean = known.Correct(response.Query)
		}
		return err
	})
}

func (r Room) suggestions(c echo.Context) error {
	var query struct {
		Query string `json:"q"`
		Limit int    `json:"limit"`
	}
	if err := api.ReadQuery(c, &query); err != nil {
		return err
	}
	return r.Library.Read(c.Request().Context(), func(reader index.Reader) error {
		known, err := r.Suggester.For(c.Request().Context(), reader)
		if err != nil {
			return err
		}
		return api.SendJSON(c, http.StatusOK, struct {
			Suggestions []suggest.Suggestion `json:"suggestions"`
		}{known.Complete(query.Query, query.Limit)})
	})
}
