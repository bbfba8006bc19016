package recall

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/form"
	"mekiki/index/keyword"
	"mekiki/index/local/keywords"
)

// Nearest compares a query, rows of the space's width, with all vectors of some records: the best first, equal ones in
// order of ID. A record whose vectors are missing or damaged is left out.
func (m *Memory) Nearest(ctx context.Context, candidates []*form.Record, space form.Space, query []float32) ([]index.Neighbour, error) {
	parts, err := m.PartsOf(ctx, candidates, space)
	if err != nil {
		return nil, err
	}
	neighbours := make([]index.Neighbour, 0, len(candidates))
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

// Words is a query for words, and what its scores count with.
type Words struct {
	index.KeywordQuery
	// Collection is the engine's, of so many records.
	Collection string
	Records    int
}

// all are the words of the query, those of phrases included.
func (w Words) all() string {
	return strings.Join(append([]string{w.Text}, w.Phrases...), " ")
}

// Terms are what the engine is asked for.
func (w Words) Terms() []string { return keyword.QueryTerms(w.all()) }

// Matching gives those of some records that match, the best first, with the scores of a
// library on a disk. Phrases and excluded words come from an index of the records in memory.
func (m *Memory) Matching(ctx context.Context, words Words, records []*form.Record) ([]index.KeywordHit, error) {
	if len(records) == 0 {
		return nil, nil
	}
	matches, err := words.exactly(ctx, records)
	if err != nil {
		return nil, err
	}
	terms := make([]map[string][]string, len(records))
	for i, record := range records {
		terms[i] = m.Terms(record)
	}
	statistics, err := m.statistics(ctx, words, terms)
	if err != nil {
		return nil, err
	}
	scorer := keyword.NewScorer(words.all(), statistics)
	var hits []index.KeywordHit
	for i, record := range records {
		if !matches(record.ID) {
			continue
		}
		if score := scorer.Score(terms[i]); score > 0 {
			hits = append(hits, index.KeywordHit{ID: record.ID, Score: score})
		}
	}
	slices.SortFunc(hits, func(a, b index.KeywordHit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits, nil
}

// exactly reports which records have the phrases and none of the excluded words.
func (w Words) exactly(ctx context.Context, records []*form.Record) (func(index.ID) bool, error) {
	if len(w.Phrases)+len(w.Exclude) == 0 {
		return func(index.ID) bool { return true }, nil
	}
	found, err := document.InMemory(ctx, DocumentsOf(records), func(reader *keyword.Reader) ([]keyword.Hit, error) {
		return reader.Search(ctx, keyword.Query{Words: w.Text, Phrases: w.Phrases, Exclude: w.Exclude, Limit: len(records)})
	})
	if err != nil {
		return nil, err
	}
	matching := map[index.ID]bool{}
	for _, hit := range found {
		matching[index.ID(hit.ID)] = true
	}
	return func(id index.ID) bool { return matching[id] }, nil
}

// DocumentsOf gives what the words of records are looked for in.
func DocumentsOf(records []*form.Record) []keyword.Document {
	documents := make([]keyword.Document, len(records))
	for i, record := range records {
		documents[i] = keywords.DocumentOf(&record.Record)
	}
	return documents
}
