package queries

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/suggest"
)

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
