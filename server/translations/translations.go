// Package translations puts texts into another language: captions into the reader's, queries as searches do.
package translations

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"mekiki/embed/translate"
	"mekiki/search/translation"
	"mekiki/server/api"
	"mekiki/server/problem"
)

// Interpreter translates; *translation.Interpreter is one.
type Interpreter interface {
	Pairs() []translation.Pair
	Translate(ctx context.Context, pair translation.Pair, texts []string) ([]string, error)
}

// Room is what translating needs.
type Room struct {
	// Interpreter may be nil: nothing is translated then.
	Interpreter Interpreter
	Bodies      api.Bodies
	Compute     api.Compute
}

// Routes are the lines of this room in the table of routes.
func (r Room) Routes() []api.Route {
	return []api.Route{
		{Method: http.MethodGet, Path: "/api/v1/translations", Class: api.Open, Handler: r.list},
		{Method: http.MethodPost, Path: "/api/v1/translations", Class: api.Search, Handler: r.translate},
	}
}

func (r Room) list(c echo.Context) error {
	return api.SendJSON(c, http.StatusOK, struct {
		Pairs []translation.Pair `json:"pairs"`
	}{append([]translation.Pair{}, r.pairs()...)}) // a list, also where it is empty
}

func (r Room) pairs() []translation.Pair {
	if r.Interpreter == nil {
		return nil
	}
	return r.Interpreter.Pairs()
}

func (r Room) translate(c echo.Context) error {
	var asked struct {
		Texts []string `json:"texts"`
		From  string   `json:"from"`
		To    string   `json:"to"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	pair := translation.Pair{From: asked.From, To: asked.To}
	if !slices.Contains(r.pairs(), pair) {
		return problem.Newf(problem.NotFound, "no translator from %q into %q is installed", pair.From, pair.To)
	}
	var texts []string
	err := r.Compute.Do(c, func(ctx context.Context) (err error) {
		texts, err = r.Interpreter.Translate(ctx, pair, asked.Texts)
		return err
	})
	if errors.Is(err, translate.ErrTooLong) {
		return problem.Invalid("texts", "has one that is too long to be translated: %v", err)
	}
	if err != nil {
		return err
	}
	return api.SendJSON(c, http.StatusOK, struct {
		translation.Pair
		Texts []string `json:"texts"`
	}{pair, texts})
}
