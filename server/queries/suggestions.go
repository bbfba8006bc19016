package queries

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/excerpt"
	"mekiki/search/contract"
	"mekiki/search/spelling"
	"mekiki/server/api"
	"mekiki/server/suggest"
)

// Correct proposes another query where an answer has few hits, or none that is sure, and the library lacks a word of the
// query but has one like it; see [spelling.Propose]. It proposes nothing to those who see a part of the library: what is known
// of its words is kept for all of it.
func (r Room) Correct(ctx context.Context, response *contract.Response) {
	if _, restricted := excerpt.Of(ctx); restricted || !spelling.Wanted(response) {
		return
	}
	// The hits are the answer; that nothing can be proposed is no failure of it.
	_ = r.Library.Read(ctx, func(reader index.Reader) error {
		known, err := r.Suggester.For(ctx, reader)
		if err != nil {
			return err
		}
		return spelling.Propose(ctx, response, known, reader)
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
