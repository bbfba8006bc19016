package search

import (
	"context"
	"fmt"
	"math"
	"slices"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/search/likeness"
)

// removeUnwantedPhrases drops candidates whose words have an unwanted phrase.
func (r *retrieval) removeUnwantedPhrases(ctx context.Context) error {
	for _, phrase := range r.plan.unwantedPhrases {
		if len(r.candidates) == 0 {
			return nil
		}
		hits, err := r.snapshot.Keyword(ctx, index.KeywordQuery{Phrases: []string{phrase}, Kind: r.plan.kind, ScoresOnly: true},
			len(r.candidates), filters.OnlyIDs(index.Filter{}, candidateIDs(r.candidates)))
		if err != nil {
			return fmt.Errorf("search unwanted words: %w", err)
		}
		for _, hit := range hits {
			delete(r.known, hit.ID)
		}
		r.candidates = slices.DeleteFunc(r.candidates, func(c *candidate) bool { return r.known[c.id] == nil })
	}
	return nil
}

// complete gives every candidate the score of every leg, so that fusion never
// compares a score with the lack of one.
func (r *retrieval) complete(ctx context.Context) error {
	if err := r.completeVectors(ctx); err != nil {
		return err
	}
	if err := r.completeKeywords(ctx); err != nil {
		return err
	}
	if err := r.completeClauses(ctx); err != nil {
		return err
	}
	return r.comparePictures(ctx)
}

// completeVectors scores the candidates that only words proposed.
func (r *retrieval) completeVectors(ctx context.Context) error {
	if len(r.text) == 0 {
		return nil
	}
	scores, parts, err := r.cosines(ctx, r.text, func(c *candidate) bool { return !c.hasVector })
	if err != nil {
		return err
	}
	for _, c := range r.candidates {
		if score, ok := scores[c.id]; ok {
			c.vector, c.hasVector, c.part = score, true, parts[c.id]
		}
	}
	return nil
}

// cosines gives the cosine of a vector with each candidate that wants it.
func (r *retrieval) cosines(ctx context.Context, vector embed.Vector, wants func(*candidate) bool) (map[index.ID]float64, map[index.ID]int, error) {
	var ids []index.ID
	for _, c := range r.candidates {
		if wants(c) {
			ids = append(ids, c.id)
		}
	}
	if len(ids) == 0 {
		return nil, nil, nil
	}
	hits, err := r.nearest(ctx, vector, len(ids), index.Filter{IDs: ids})
	if err != nil {
		return nil, nil, err
	}
	scores, parts := make(map[index.ID]float64, len(hits)), make(map[index.ID]int, len(hits))
	for _, hit := range hits {
		scores[hit.ID], parts[hit.ID] = float64(hit.Score), hit.Part
	}
	return scores, parts, nil
}

// completeKeywords scores the candidates that the keyword leg's window cut
// off. What has none of the words keeps the score 0, which is its BM25.
func (r *retrieval) completeKeywords(ctx context.Context) error {
	var ids []index.ID
	for _, c := range r.candidates {
		if r.keywordsFull && !c.hasKeyword {
			ids = append(ids, c.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	p := r.plan
	hits, err := r.snapshot.Keyword(ctx, index.KeywordQuery{Text: p.keywords(), Phrases: p.phrases, Kind: p.kind, ScoresOnly: true}, len(ids), index.Filter{IDs: ids})
	if err != nil {
		return fmt.Errorf("search words: %w", err)
	}
	for _, hit := range hits {
		if c := r.known[hit.ID]; c != nil {
			c.keyword, c.hasKeyword = hit.Score, true
		}
	}
	return nil
}

// completeClauses gives each candidate the cosine with every single clause.
func (r *retrieval) completeClauses(ctx context.Context) error {
	clauses := len(r.plan.clauses) + len(r.plan.unwanted)
	for _, c := range r.candidates {
		c.clauseVectors = slices.Repeat([]float64{math.NaN()}, clauses)
		c.matches = make([]clauseAnswer, clauses)
	}
	if len(r.clauseVectors) == 0 {
		return nil
	}
	for i, vector := range r.clauseVectors {
		if clauses == 1 && len(r.text) > 0 {
			for _, c := range r.candidates {
				c.clauseVectors[0] = c.vector
			}
			return nil
		}
		scores, _, err := r.cosines(ctx, vector, func(*candidate) bool { return true })
		if err != nil {
			return err
		}
		for _, c := range r.candidates {
			if score, ok := scores[c.id]; ok {
				c.clauseVectors[i] = score
			}
		}
	}
	return nil
}

// comparePictures replaces the largest cosine of any two parts by a likeness
// of the whole pictures: the mean, over the query's parts, of the largest
// cosine with the candidate's, and the other way round. Of several pictures it is the
// mean of their likenesses.
func (r *retrieval) comparePictures(ctx context.Context) error {
	if len(r.pictures) == 0 {
		return nil
	}
	parts, err := r.snapshot.Parts(ctx, candidateIDs(r.candidates))
	if err != nil {
		return fmt.Errorf("read vectors: %w", err)
	}
	for i, c := range r.candidates {
		if parts[i].Count > 0 { // none when the record was just added
			likenesses := make([]float64, len(r.pictures))
			for of, picture := range r.pictures {
				likenesses[of] = likeness.Of(picture, parts[i])
			}
			c.similarity, c.hasSimilarity = likeness.Mean(likenesses), true
		}
	}
	return nil
}
