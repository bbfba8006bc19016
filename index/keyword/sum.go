package keyword

import (
	"context"
	"errors"

	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	"github.com/blevesearch/bleve/v2/search/searcher"
	index "github.com/blevesearch/bleve_index_api"
)

// clause is a query and the weight of its score in a sum.
type clause struct {
	query  query.Query
	weight float64
}

// sumQuery matches what any clause matches, and scores the plain weighted sum.
// bleve's own disjunction also multiplies by the share of clauses that matched
// and by a norm over the query, which makes BM25 scores depend on how many
// fields the mapping has.
type sumQuery struct{ clauses []clause }

var _ query.Query = (*sumQuery)(nil)

// Searcher implements query.Query.
func (q *sumQuery) Searcher(ctx context.Context, reader index.IndexReader, m mapping.IndexMapping, options search.SearcherOptions) (search.Searcher, error) {
	sum := &sumSearcher{}
	for _, clause := range q.clauses {
		child, err := clause.query.Searcher(ctx, reader, m, options)
		if err != nil {
			return nil, errors.Join(err, sum.Close())
		}
		sum.add(child, clause.weight)
	}
	return sum, nil
}

// termsQuery is the plain sum of a text's words in one field.
type termsQuery struct{ field, text string }

var _ query.Query = (*termsQuery)(nil)

// Searcher implements query.Query.
func (q *termsQuery) Searcher(ctx context.Context, reader index.IndexReader, m mapping.IndexMapping, options search.SearcherOptions) (search.Searcher, error) {
	analyzer := m.AnalyzerNamed(m.AnalyzerNameForPath(q.field))
	sum, seen := &sumSearcher{}, map[string]bool{}
	for _, token := range analyzer.Analyze([]byte(q.text)) {
		if seen[string(token.Term)] {
			continue
		}
		seen[string(token.Term)] = true
		child, err := searcher.NewTermSearcherBytes(ctx, reader, token.Term, q.field, 1, options)
		if err != nil {
			return nil, errors.Join(err, sum.Close())
		}
		sum.add(child, 1)
	}
	return sum, nil
}

// sumSearcher merges searchers in document order. There are few of them, one for
// each field or word, so the next one is looked for among all; and scores are added
// in one order, so that a document has the same under every filter, to the bit.
type sumSearcher struct {
	children []*child
	started  bool
}

var _ search.Searcher = (*sumSearcher)(nil)

// child is a searcher at its current document, nil after its last.
type child struct {
	searcher search.Searcher
	weight   float64
	current  *search.DocumentMatch
}

// add takes the searcher over; one that matches nothing is closed at once.
func (s *sumSearcher) add(searcher search.Searcher, weight float64) {
	if searcher == nil {
		return
	}
	if searcher.Count() == 0 {
		searcher.Close()
		return
	}
	s.children = append(s.children, &child{searcher: searcher, weight: weight})
}

// Next implements search.Searcher.
func (s *sumSearcher) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	if !s.started {
		s.started = true
		for _, child := range s.children {
			var err error
			if child.current, err = child.searcher.Next(ctx); err != nil {
				return nil, err
			}
		}
	}
	return s.first(ctx)
}

// Advance implements search.Searcher.
func (s *sumSearcher) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	for _, child := range s.children {
		switch {
		case !s.started:
		case child.current == nil || child.current.IndexInternalID.Compare(id) >= 0:
			continue
		default:
			ctx.DocumentMatchPool.Put(child.current)
		}
		var err error
		if child.current, err = child.searcher.Advance(ctx, id); err != nil {
			return nil, err
		}
	}
	s.started = true
	return s.first(ctx)
}

// first gives the first of the children's current documents, with the sum of their
// scores, and moves those that had it to their next.
func (s *sumSearcher) first(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	var result *search.DocumentMatch
	for _, child := range s.children {
		if child.current != nil && (result == nil || child.current.IndexInternalID.Compare(result.IndexInternalID) < 0) {
			result = child.current
		}
	}
	if result == nil {
		return nil, nil
	}
	score := 0.0
	var rest []*search.DocumentMatch
	for _, child := range s.children {
		match := child.current
		if match == nil || match != result && !match.IndexInternalID.Equals(result.IndexInternalID) {
			continue
		}
		score += child.weight * match.Score
		if match != result {
			rest = append(rest, match)
		}
		var err error
		if child.current, err = child.searcher.Next(ctx); err != nil {
			return nil, err
		}
	}
	result.Score = score
	if len(rest) > 0 {
		result.FieldTermLocations = search.MergeFieldTermLocations(result.FieldTermLocations, rest)
		for _, match := range rest {
			ctx.DocumentMatchPool.Put(match)
		}
	}
	return result, nil
}

// Close implements search.Searcher.
func (s *sumSearcher) Close() error {
	var problems []error
	for _, child := range s.children {
		problems = append(problems, child.searcher.Close())
	}
	return errors.Join(problems...)
}

// Weight implements search.Searcher; scores are not normalised by it.
func (s *sumSearcher) Weight() float64 { return 1 }

// SetQueryNorm implements search.Searcher; it changes nothing on purpose.
func (s *sumSearcher) SetQueryNorm(float64) {}

// Count implements search.Searcher.
func (s *sumSearcher) Count() uint64 {
	var sum uint64
	for _, child := range s.children {
		sum += child.searcher.Count()
	}
	return sum
}

// Min implements search.Searcher.
func (s *sumSearcher) Min() int { return 0 }

// Size implements search.Searcher.
func (s *sumSearcher) Size() int {
	size := 128
	for _, child := range s.children {
		size += child.searcher.Size() + 32
	}
	return size
}

// DocumentMatchPoolSize implements search.Searcher.
func (s *sumSearcher) DocumentMatchPoolSize() int {
	size := len(s.children) + 1
	for _, child := range s.children {
		size += child.searcher.DocumentMatchPoolSize()
	}
	return size
}
