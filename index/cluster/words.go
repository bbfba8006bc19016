package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/recall"
	"mekiki/index/filters"
	"mekiki/index/keyword"
)

// Keyword implements [index.Reader]. The engine proposes records by its own BM25 over the
// terms; phrases, excluded words and where the words are come from an index of the proposed
// records in memory, and the scores are those of a library on a disk, with the engine's
// counts of how many records have a term.
func (r *Reader) Keyword(ctx context.Context, query index.KeywordQuery, k int, filter index.Filter) ([]index.KeywordHit, error) {
	if err := r.usable(ctx); err != nil {
		return nil, fmt.Errorf("find words: %w", err)
	}
	words := recall.Words{KeywordQuery: query, Collection: r.state.Collection, Records: r.counts[0]}
	terms := words.Terms()
	if len(terms) == 0 || k <= 0 {
		return nil, nil
	}
	hits, records, err := r.matching(ctx, words, terms, k, filter)
	if err == nil {
		hits = hits[:min(k, len(hits))]
		err = r.showWords(ctx, query, hits, records)
	}
	if err != nil {
		return nil, fmt.Errorf("find words: %w", err)
	}
	return hits, nil
}

// matching gives the hits for some words, k of them or all that there are, and records that they are among.
func (r *Reader) matching(ctx context.Context, words recall.Words, terms []string, k int, filter index.Filter) ([]index.KeywordHit, []*form.Record, error) {
	m := filters.Compile(filter)
	if isListed(filter) {
		records, err := r.listed(ctx, filter, m, words.Kind)
		if err != nil {
			return nil, nil, err
		}
		hits, err := r.library.memory.Matching(ctx, words, records)
		return hits, records, err
	}
	condition, _ := document.Where(filter, m, words.Kind)
	for limit := candidatesFor(k); ; limit = min(widen*limit, engine.MaximumResults) {
		asked := r.query(condition, limit)
		asked.Words = &engine.Weighted{Text: strings.Join(terms, " "), Properties: document.WeightedFields()}
		answers, err := r.find(ctx, asked)
		if err != nil {
			return nil, nil, err
		}
		proposed := len(answers[0])
		records := slices.DeleteFunc(answers[0], func(record *form.Record) bool { return !m.Matches(&record.Record) })
		hits, err := r.library.memory.Matching(ctx, words, records)
		if err != nil || len(hits) >= k || proposed < limit || limit == engine.MaximumResults {
			return hits, records, err
		}
	}
}

// showWords adds to hits where their words are.
func (r *Reader) showWords(ctx context.Context, query index.KeywordQuery, hits []index.KeywordHit, records []*form.Record) error {
	if query.ScoresOnly || len(hits) == 0 {
		return nil
	}
	places := map[uint64]int{}
	for i, hit := range hits {
		places[uint64(hit.ID)] = i
	}
	shown := slices.DeleteFunc(slices.Clone(records), func(record *form.Record) bool {
		_, is := places[uint64(record.ID)]
		return !is
	})
	documents := recall.DocumentsOf(shown)
	found, err := document.InMemory(ctx, documents, func(reader *keyword.Reader) ([]keyword.Hit, error) {
		return reader.Search(ctx, keyword.Query{Words: query.Text, Phrases: query.Phrases, Limit: len(documents), Matches: true})
	})
	if err != nil {
		return fmt.Errorf("find words: %w", err)
	}
	for _, one := range found {
		at := slices.IndexFunc(documents, func(d keyword.Document) bool { return d.ID == one.ID })
		hit := &hits[places[one.ID]]
		hit.Fragments, hit.Terms = documents[at].Fragments(one.Matches), keyword.MatchedTerms(one.Matches)
	}
	return nil
}

// Spellings implements [index.Reader]. The engine has no list of its words that could be
// asked for those that are like one: records are read that have a word with the same first
// letter and a third of the rest, [spellingCandidates] at most, and their words compared.
func (r *Reader) Spellings(ctx context.Context, words []string) ([][]string, error) {
	if err := r.usable(ctx); err != nil {
		return nil, fmt.Errorf("look for spellings: %w", err)
	}
	terms, edits := make([]string, len(words)), make([]int, len(words))
	for i, word := range words {
		terms[i], edits[i] = keyword.TermToSpell(word)
	}
	known, err := r.library.memory.Known(ctx, r.state.Collection, terms)
	if err != nil {
		return nil, fmt.Errorf("look for spellings: %w", err)
	}
	spellings := make([][]string, len(words))
	for i, word := range words {
		if known[i] || edits[i] == 0 {
			continue
		}
		if spellings[i], err = r.spellings(ctx, word, terms[i], edits[i]); err != nil {
			return nil, fmt.Errorf("look for spellings: %w", err)
		}
	}
	return spellings, nil
}

// spellings gives the words that a word may have been meant as, which no record has.
func (r *Reader) spellings(ctx context.Context, word, term string, edits int) ([]string, error) {
	var like []engine.Condition
	for _, field := range keyword.Fields() {
		for _, pattern := range document.Patterns(term, edits) {
			like = append(like, engine.Like(document.WordsPrefix+field.Name, pattern))
		}
	}
	answers, err := r.find(ctx, r.query(engine.Any(like...), spellingCandidates))
	if err != nil {
		return nil, err
	}
	documents := recall.DocumentsOf(answers[0])
	found, err := document.InMemory(ctx, documents, func(reader *keyword.Reader) ([]keyword.Spelling, error) { return reader.Spellings(ctx, word) })
	if err != nil {
		return nil, err
	}
	byID := func(id uint64) *keyword.Document {
		if at := slices.IndexFunc(documents, func(d keyword.Document) bool { return d.ID == id }); at >= 0 {
			return &documents[at]
		}
		return nil
	}
	var spellings []string
	for _, one := range found {
		if meant := one.Meant(word, byID); meant != "" {
			spellings = append(spellings, meant)
		}
	}
	return spellings, nil
}
