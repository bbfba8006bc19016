package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/filters"
	"mekiki/index/vector/representatives"
)

// Nearest implements [index.Reader]. The engine proposes records by the vectors that stand
// for them; their scores, and so their order, are exact, from the stored vectors.
func (r *Reader) Nearest(ctx context.Context, kind index.Kind, query []float32, k int, filter index.Filter) (neighbours []index.Neighbour, err error) {
	if err := r.usable(ctx); err != nil {
		return nil, fmt.Errorf("nearest %ss: %w", kind, err)
	}
	serving, serves := r.state.Numbered(r.state.Serving)
	if k <= 0 || !serves {
		return nil, nil
	}
	if err := checkQuery(query, serving.Width); err != nil {
		return nil, fmt.Errorf("nearest %ss: %w", kind, err)
	}
	m := filters.Compile(filter)
	if isListed(filter) {
		candidates, err := r.listed(ctx, filter, m, kind)
		if err == nil {
			neighbours, err = r.library.memory.Nearest(ctx, candidates, serving, query)
		}
		if err != nil {
			return nil, fmt.Errorf("nearest %ss: %w", kind, err)
		}
		return neighbours[:min(k, len(neighbours))], nil
	}
	condition, _ := document.Where(filter, m, kind)
	condition = engine.All(condition, engine.Equal(document.Spaces, fmt.Sprint(serving.Number)))
	rows := representatives.Of(query, serving.Width, queryRows)
	if len(query) <= queryRows*serving.Width {
		rows = slices.Collect(slices.Chunk(query, serving.Width))
	}
	for limit := candidatesFor(k); ; limit = min(widen*limit, engine.MaximumResults) {
		candidates, err := r.propose(ctx, condition, rows, serving, limit)
		if err != nil {
			return nil, fmt.Errorf("nearest %ss: %w", kind, err)
		}
		proposed := len(candidates)
		candidates = slices.DeleteFunc(candidates, func(one *form.Record) bool { return !m.Matches(&one.Record) })
		neighbours, err = r.library.memory.Nearest(ctx, candidates, serving, query)
		if err != nil {
			return nil, fmt.Errorf("nearest %ss: %w", kind, err)
		}
		if len(neighbours) >= k || limit == engine.MaximumResults || proposed >= r.filled[serving.Number] {
			return neighbours[:min(k, len(neighbours))], nil
		}
		all, err := r.library.engine.Count(ctx, r.state.Collection, condition)
		if err != nil {
			return nil, fmt.Errorf("nearest %ss: %w", kind, err)
		}
		if proposed >= all[0] {
			return neighbours, nil
		}
	}
}

// candidatesFor is how many candidates are asked of the engine at first where k are wanted.
func candidatesFor(k int) int {
	return min(max(k+k/overfetch, leastCandidates), engine.MaximumResults)
}

// isListed reports whether a filter lists the records that may pass, and not too many for the engine.
func isListed(filter index.Filter) bool {
	return len(filter.IDs) > 0 && len(filter.IDs) <= engine.MaximumResults
}

// listed gives those of the records that a filter lists that pass it: whose candidates are known needs no proposals.
func (r *Reader) listed(ctx context.Context, filter index.Filter, m *filters.Matcher, kind index.Kind) ([]*form.Record, error) {
	byID, err := r.byID(ctx, filter.IDs)
	if err != nil {
		return nil, err
	}
	var records []*form.Record
	for _, record := range byID {
		if (kind == 0 || record.Kind == kind) && m.Matches(&record.Record) {
			records = append(records, record)
		}
	}
	return records, nil
}

func checkQuery(query []float32, width int) error {
	if len(query) == 0 || len(query)%width != 0 {
		return fmt.Errorf("%w: %d values are no vectors of width %d", index.ErrSpace, len(query), width)
	}
	for _, value := range query {
		if math.IsNaN(float64(value)) || math.IsInf(float64(value), 0) {
			return errors.New("the query has a value that is no number")
		}
	}
	return nil
}

// propose gives the records that the engine finds for any of some rows, each once.
func (r *Reader) propose(ctx context.Context, condition engine.Condition, rows [][]float32, space form.Space, limit int) ([]*form.Record, error) {
	queries := make([]engine.Query, len(rows))
	for i, row := range rows {
		queries[i] = r.query(condition, limit)
		queries[i].Near = &engine.Near{Vectors: space.Vectors(), Row: row}
	}
	answers, err := r.find(ctx, queries...)
	if err != nil {
		return nil, err
	}
	seen := map[index.ID]bool{}
	var candidates []*form.Record
	for _, record := range slices.Concat(answers...) {
		if !seen[record.ID] {
			seen[record.ID] = true
			candidates = append(candidates, record)
		}
	}
	return candidates, nil
}
