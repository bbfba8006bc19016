package queries

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/search/contract"
	"mekiki/server/api"
	"mekiki/server/problem"
)

// batchResult is what became of one search of a batch: an answer, or a problem.
type batchResult struct {
	Status  int                `json:"status"`
	Answer  *contract.Response `json:"answer,omitempty"`
	Problem *problem.Problem   `json:"problem,omitempty"`
}

// searchBatch answers several searches, one after the other. Each waits for a place of its own, so that a batch is
// admitted as that many requests are, and one that fails spoils no other.
func (r Room) searchBatch(c echo.Context) error {
	var asked struct {
		Searches []searchJSON `json:"searches"`
	}
	if err := r.Bodies.ReadJSON(c, &asked); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), batchTime)
	defer cancel()
	results := make([]batchResult, len(asked.Searches))
	for i, one := range asked.Searches {
		answer, err := r.searchOne(ctx, one)
		if err := c.Request().Context().Err(); err != nil {
			return err // nobody waits any more
		}
		if err != nil {
			p := problem.From(err)
			p.Instance = api.IdentityOf(c)
			results[i] = batchResult{Status: p.Status, Problem: p}
			continue
		}
		results[i] = batchResult{Status: http.StatusOK, Answer: answer}
	}
	return api.SendJSON(c, http.StatusOK, struct {
		Results []batchResult `json:"results"`
	}{results})
}

func (r Room) searchOne(ctx context.Context, asked searchJSON) (*contract.Response, error) {
	filter, err := asked.Filter.Parse("filter.")
	if err != nil {
		return nil, err
	}
	from, err := asked.Source(api.Upload{})
	if err != nil {
		return nil, err
	}
	request, err := asked.several(from, filter)
	if err != nil {
		return nil, err
	}
	var response contract.Response
	err = r.Compute.Within(ctx, func(ctx context.Context) (err error) {
		if response, err = r.Searcher.Search(ctx, request); err != nil {
			return err
		}
		r.Measure(response.Timings)
		r.Correct(ctx, &response)
		return nil
	})
	return &response, err
}
