package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/filters"
	"mekiki/index/vector"
)

// Nearest implements [index.Reader]. The engine proposes records by the vectors that stand
// for them; their scores, and so their order, are exact, from the stored vectors.
func (r *Reader) Nearest(ctx context.Context, kind index.Kind, query []float32, k int, filter index.Filter) ([]index.Neighbour, error) {
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
	condition, _ := document.Where(filter, m, kind)
	condition = engine.All(condition, engine.Equal(document.Spaces, fmt.Sprint(serving.Number)))
	rows := vector.Representatives(query, serving.Width, queryRows)
	if len(query) <= queryRows*serving.Width {
		rows = slices.Collect(slices.Chunk(query, serving.Width))
	}
	for limit := min(max(overfetch*k, leastCandidates), engine.MaximumResults); ; limit = min(widen*limit, engine.MaximumResults) {
		candidates, err := r.propose(ctx, condition, rows, serving, limit)
		if err != nil {
			return nil, fmt.Errorf("nearest %ss: %w", kind, err)
		}
		proposed := len(candidates)
		candidates = slices.DeleteFunc(candidates, func(one *form.Record) bool { return !m.Matches(&one.Record) })
		neighbours, err := r.score(ctx, candidates, serving, query)
		if err != nil {
			return nil, fmt.Errorf("nearest %ss: %w", kind, err)
		}
		if len(neighbours) >= k || limit == engine.MaximumResults {
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
		queries[i] = r.query(condition, limit, document.Record)
		queries[i].Near = &engine.Near{Vector: space.Vector(), Row: row}
	}
	answers, err := r.library.engine.Find(ctx, queries...)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var candidates []*form.Record
	for _, found := range slices.Concat(answers...) {
		if seen[found.ID] {
			continue
		}
		seen[found.ID] = true
		record, err := r.recordOf(found)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, record)
	}
	return candidates, nil
}

// score compares a query with all vectors of some records: the best first, equal ones in
// order of ID. A record whose vectors are missing or damaged is left out.
func (r *Reader) score(ctx context.Context, candidates []*form.Record, space form.Space, query []float32) ([]index.Neighbour, error) {
	parts := make([]embed.Parts, len(candidates))
	err := each(ctx, len(candidates), func(ctx context.Context, i int) error {
		vectors, has := candidates[i].Spaces[space.Number]
		if !has {
			return nil
		}
		read, err := r.library.readParts(ctx, form.VectorKey(space.Embed(), candidates[i].Hash, vectors.Vectors))
		if errors.Is(err, objects.ErrAbsent) || errors.Is(err, index.ErrDamaged) {
			r.library.logger.Warn("the vectors of a record are missing or damaged", "record", candidates[i].ID, "what", err, "try", "mekiki cluster check")
			return nil
		}
		parts[i] = read
		return err
	})
	if err != nil {
		return nil, err
	}
	var neighbours []index.Neighbour
	for i, candidate := range candidates {
		if parts[i].Count == 0 || parts[i].Width != space.Width {
			continue
		}
		best := index.Neighbour{ID: candidate.ID, Score: float32(math.Inf(-1))}
		for row := range slices.Chunk(query, space.Width) {
			if score, part := parts[i].Similarity(row); score > best.Score {
				best.Score, best.Part = score, part
			}
		}
		neighbours = append(neighbours, best)
	}
	slices.SortFunc(neighbours, func(a, b index.Neighbour) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return neighbours, nil
}
