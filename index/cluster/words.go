package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/filters"
	"mekiki/index/keyword"
	"mekiki/index/local/keywords"
)

// Keyword implements [index.Reader]. The engine proposes records by its own BM25 over the
// terms; phrases, excluded words and where the words are come from an index of the proposed
// records in memory, and the scores are those of a library on a disk, with the engine's
// counts of how many records have a term.
func (r *Reader) Keyword(ctx context.Context, query index.KeywordQuery, k int, filter index.Filter) ([]index.KeywordHit, error) {
	if err := r.usable(ctx); err != nil {
		return nil, fmt.Errorf("find words: %w", err)
	}
	terms := keyword.QueryTerms(strings.Join(append([]string{query.Text}, query.Phrases...), " "))
	if len(terms) == 0 || k <= 0 {
		return nil, nil
	}
	m := filters.Compile(filter)
	condition, _ := document.Where(filter, m, query.Kind)
	having := engine.All(condition, document.WithTerms(terms))
	counts, err := r.library.engine.Count(ctx, r.state.Collection, having)
	if err != nil {
		return nil, fmt.Errorf("find words: %w", err)
	}
	for limit := min(max(overfetch*k, leastCandidates), engine.MaximumResults); ; limit = min(widen*limit, engine.MaximumResults) {
		asked := r.query(condition, limit, document.Record)
		asked.Words = &engine.Weighted{Text: strings.Join(terms, " "), Properties: document.WeightedFields()}
		if counts[0] <= limit {
			asked = r.query(having, limit, document.Record) // all that have a word, in no order
		}
		records, proposed, err := r.proposed(ctx, asked, m)
		if err != nil {
			return nil, fmt.Errorf("find words: %w", err)
		}
		hits, err := r.rank(ctx, query, records)
		if err != nil {
			return nil, fmt.Errorf("find words: %w", err)
		}
		if len(hits) >= k || proposed < limit || limit == engine.MaximumResults {
			hits = hits[:min(k, len(hits))]
			return hits, r.showWords(ctx, query, hits, records)
		}
	}
}

// proposed gives what a query finds and a filter lets pass, and how many it found.
func (r *Reader) proposed(ctx context.Context, asked engine.Query, m *filters.Matcher) (records []*form.Record, proposed int, err error) {
	for record, err := range r.found(ctx, asked) {
		if err != nil {
			return nil, 0, err
		}
		if proposed++; m.Matches(&record.Record) {
			records = append(records, record)
		}
	}
	return records, proposed, nil
}

// rank gives those of some records that match, the best first.
func (r *Reader) rank(ctx context.Context, query index.KeywordQuery, records []*form.Record) ([]index.KeywordHit, error) {
	if len(records) == 0 {
		return nil, nil
	}
	matches := func(index.ID) bool { return true }
	if len(query.Phrases)+len(query.Exclude) > 0 {
		found, err := document.InMemory(ctx, documentsOf(records), func(reader *keyword.Reader) ([]keyword.Hit, error) {
			return reader.Search(ctx, keyword.Query{Words: query.Text, Phrases: query.Phrases, Exclude: query.Exclude, Limit: len(records)})
		})
		if err != nil {
			return nil, err
		}
		matching := map[index.ID]bool{}
		for _, hit := range found {
			matching[index.ID(hit.ID)] = true
		}
		matches = func(id index.ID) bool { return matching[id] }
	}
	words := strings.Join(append([]string{query.Text}, query.Phrases...), " ")
	statistics, err := r.statistics(ctx, words)
	if err != nil {
		return nil, err
	}
	var hits []index.KeywordHit
	for _, record := range records {
		if !matches(record.ID) {
			continue
		}
		if score := keyword.Score(words, r.library.termsOf(record), statistics); score > 0 {
			hits = append(hits, index.KeywordHit{ID: record.ID, Score: score})
		}
	}
	slices.SortFunc(hits, func(a, b index.KeywordHit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits, nil
}

func documentsOf(records []*form.Record) []keyword.Document {
	documents := make([]keyword.Document, len(records))
	for i, record := range records {
		documents[i] = keywords.DocumentOf(&record.Record)
	}
	return documents
}

// analysedKey is a record as it was at a change.
type analysedKey struct {
	id       index.ID
	sequence uint64
}

// termsOf gives the terms of a record's fields. Finding them takes longer than reading the
// record does.
func (l *Library) termsOf(record *form.Record) map[string][]string {
	key := analysedKey{record.ID, record.Sequence}
	if terms, known := l.analysed.Get(key); known {
		return terms
	}
	d := keywords.DocumentOf(&record.Record)
	terms, cost := d.AllTerms(), int64(100)
	for _, list := range terms {
		cost += 100
		for _, term := range list {
			cost += 16 + int64(len(term))
		}
	}
	l.analysed.Put(key, terms, cost)
	return terms
}

// termKey is a term of a field, of a collection.
type termKey struct{ collection, field, term string }

// termCount is how many records have a term, and when that was so.
type termCount struct {
	count int
	at    time.Time
}

// statistics counts the records that have each of some words, which are remembered for a
// while: scores need them to be about right.
func (r *Reader) statistics(ctx context.Context, words string) (keyword.Statistics, error) {
	l, now := r.library, r.library.clock()
	counts := map[termKey]int{}
	var missing []termKey
	var conditions []engine.Condition
	keyword.FieldsOf(words, func(field, term string) {
		key := termKey{r.state.Collection, field, term}
		if known, there := l.terms.Get(key); there && now.Sub(known.at) < countsAge {
			counts[key] = known.count
			return
		}
		missing, conditions = append(missing, key), append(conditions, engine.Equal(document.WordsPrefix+field, document.Plain(term)))
	})
	found, err := l.engine.Count(ctx, r.state.Collection, conditions...)
	if err != nil {
		return keyword.Statistics{}, err
	}
	for i, key := range missing {
		counts[key] = found[i]
		l.terms.Put(key, termCount{found[i], now}, int64(len(key.term)+100))
	}
	return keyword.Statistics{Documents: r.counts[0], With: func(field, term string) int {
		return counts[termKey{r.state.Collection, field, term}]
	}}, nil
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
	documents := documentsOf(shown)
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
	spellings := make([][]string, len(words))
	for i, word := range words {
		found, err := r.spellings(ctx, word)
		if err != nil {
			return nil, fmt.Errorf("look for spellings: %w", err)
		}
		spellings[i] = found
	}
	return spellings, nil
}

func (r *Reader) spellings(ctx context.Context, word string) ([]string, error) {
	term, edits := keyword.TermToSpell(word)
	if edits == 0 {
		return nil, nil
	}
	var has, like []engine.Condition
	for _, field := range keyword.Fields() {
		has = append(has, engine.Equal(document.WordsPrefix+field.Name, term))
		for _, pattern := range document.Patterns(term, edits) {
			like = append(like, engine.Like(document.WordsPrefix+field.Name, pattern))
		}
	}
	counts, err := r.library.engine.Count(ctx, r.state.Collection, engine.Any(has...))
	if err != nil || counts[0] > 0 {
		return nil, err
	}
	var documents []keyword.Document
	for record, err := range r.found(ctx, r.query(engine.Any(like...), spellingCandidates, document.Record)) {
		if err != nil {
			return nil, err
		}
		documents = append(documents, keywords.DocumentOf(&record.Record))
	}
	found, err := document.InMemory(ctx, documents, func(reader *keyword.Reader) ([]keyword.Spelling, error) { return reader.Spellings(ctx, word) })
	if err != nil {
		return nil, err
	}
	var spellings []string
	for _, one := range found {
		at := slices.IndexFunc(documents, func(d keyword.Document) bool { return d.ID == one.ID })
		if at < 0 {
			continue
		}
		if written := documents[at].Written(one.Term); written != "" {
			spellings = append(spellings, written)
		}
	}
	return spellings, nil
}
