package keyword

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

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
type sumQuery struct {
	clauses []clause
	// best, where there is one, has the threshold that scores must reach.
	best *collector
}

var _ query.Query = (*sumQuery)(nil)

// Searcher implements query.Query.
func (q *sumQuery) Searcher(ctx context.Context, reader index.IndexReader, m mapping.IndexMapping, options search.SearcherOptions) (search.Searcher, error) {
	sum := &sumSearcher{best: q.best}
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
type termsQuery struct {
	field weighted
	text  string
}

var _ query.Query = (*termsQuery)(nil)

// Searcher implements query.Query.
func (q *termsQuery) Searcher(ctx context.Context, reader index.IndexReader, m mapping.IndexMapping, options search.SearcherOptions) (search.Searcher, error) {
	analyzer := m.AnalyzerNamed(m.AnalyzerNameForPath(q.field.name))
	sum, seen := &sumSearcher{}, map[string]bool{}
	for _, token := range analyzer.Analyze([]byte(q.text)) {
		if seen[string(token.Term)] {
			continue
		}
		seen[string(token.Term)] = true
		word, err := searcher.NewTermSearcherBytes(ctx, reader, token.Term, q.field.name, 1, options)
		if err != nil {
			return nil, errors.Join(err, sum.Close())
		}
		sum.add(word, 1)
	}
	for _, child := range sum.children {
		child.bound = termBound(child.searcher, q.field.length)
	}
	return sum, nil
}

// sumSearcher merges searchers in document order. There are few of them, one for
// each word in each field, so the next document is the least of all their current ones;
// and scores are added in one order, so that a document has the same under every
// filter, to the bit.
//
// Where only the best documents are wanted, it skips those that cannot be among them, by
// MaxScore (Turtle and Flood, Query Evaluation: Strategies and Optimizations, 1995):
// children whose bounds together do not reach the threshold of the best, those of the
// frequent words, are non-essential. No document is found by them alone, so they are
// not iterated but advanced to the documents that the others have.
type sumSearcher struct {
	children []*child
	started  bool

	best *collector
	// byBound are the children, the least bound first; bounds[i] is the sum of the
	// first i bounds; the first nonEssential of them are.
	byBound      []*child
	bounds       []float64
	nonEssential int
}

var _ search.Searcher = (*sumSearcher)(nil)

// child is a searcher at its current document, nil after its last.
type child struct {
	searcher search.Searcher
	weight   float64
	bound    float64 // no score of it is greater, its weight counted
	current  *search.DocumentMatch
}

// add takes the searcher over; one that matches nothing is closed at once, and a
// sum is joined into this one.
func (s *sumSearcher) add(searcher search.Searcher, weight float64) {
	if searcher == nil {
		return
	}
	if searcher.Count() == 0 {
		searcher.Close()
		return
	}
	if sum, nested := searcher.(*sumSearcher); nested {
		for _, one := range sum.children {
			s.children = append(s.children, &child{searcher: one.searcher, weight: weight * one.weight, bound: weight * one.bound})
		}
		return
	}
	s.children = append(s.children, &child{searcher: searcher, weight: weight, bound: math.Inf(1)})
}

// termBound is above every score of a word in a field of an average length. With
// the square root of the frequency as t, BM25 is idf k1 t / (t + k1 (1 - b + b
// length/average)), and a field has at least as many words as t squared; over all t
// that is largest at idf k1 / (1 + 2 sqrt(k1 (1 - b) k1 b/average)).
func termBound(word search.Searcher, average int) float64 {
	return boundOf(math.Sqrt(word.Weight()), average)
}

// boundOf is termBound of a word's inverse document frequency.
func boundOf(idf float64, average int) float64 {
	const rounding = 1 + 1e-5 // lengths are kept in float32
	k1, b := search.BM25_k1, search.BM25_b
	return rounding * idf * k1 / (1 + 2*math.Sqrt(k1*(1-b)*k1*b/float64(average)))
}

// Next implements search.Searcher.
func (s *sumSearcher) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	if !s.started {
		s.start()
		for _, child := range s.children {
			var err error
			if child.current, err = child.searcher.Next(ctx); err != nil {
				return nil, err
			}
		}
	}
	for {
		match, useful, err := s.next(ctx)
		if err != nil || useful || match == nil {
			return match, err
		}
		ctx.DocumentMatchPool.Put(match)
	}
}

// Advance implements search.Searcher. It may give a document that cannot be among the
// best, with a part of its score: a filter, which is what calls it, is at a later
// document by then more often than not.
func (s *sumSearcher) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	if !s.started {
		s.start()
		for _, child := range s.children {
			var err error
			if child.current, err = child.searcher.Advance(ctx, id); err != nil {
				return nil, err
			}
		}
	}
	for _, child := range s.byBound[s.nonEssential:] {
		if err := child.advance(ctx, id); err != nil {
			return nil, err
		}
	}
	match, _, err := s.next(ctx)
	return match, err
}

// start brings the children into the order of their bounds.
func (s *sumSearcher) start() {
	s.started = true
	s.byBound = slices.Clone(s.children)
	slices.SortStableFunc(s.byBound, func(a, b *child) int { return cmp.Compare(a.bound, b.bound) })
	s.bounds = make([]float64, len(s.byBound)+1)
	for i, child := range s.byBound {
		s.bounds[i+1] = s.bounds[i] + child.bound
	}
}

// advance moves the child to a document, or the next that it has.
func (c *child) advance(ctx *search.SearchContext, id index.IndexInternalID) (err error) {
	if c.current == nil || c.current.IndexInternalID.Compare(id) >= 0 {
		return nil
	}
	ctx.DocumentMatchPool.Put(c.current)
	c.current, err = c.searcher.Advance(ctx, id)
	return err
}

// next gives the first of the essential children's current documents with the sum of
// its scores, and moves the children that had it to their next. It reports whether the
// document can be among the best; if not, its score is not complete.
func (s *sumSearcher) next(ctx *search.SearchContext) (match *search.DocumentMatch, useful bool, err error) {
	s.markNonEssential()
	var first *search.DocumentMatch
	for _, child := range s.byBound[s.nonEssential:] {
		if child.current != nil && (first == nil || child.current.IndexInternalID.Compare(first.IndexInternalID) < 0) {
			first = child.current
		}
	}
	if first == nil {
		return nil, false, nil
	}
	if useful, err = s.advance(ctx, first.IndexInternalID); err != nil {
		return nil, false, err
	}
	match, err = s.score(ctx, first.IndexInternalID)
	return match, useful, err
}

// markNonEssential finds out how many of the children are non-essential by now.
func (s *sumSearcher) markNonEssential() {
	for s.best != nil && s.nonEssential < len(s.byBound) && s.bounds[s.nonEssential+1] < s.best.threshold() {
		s.nonEssential++
	}
}

// advance moves the non-essential children to a document, those with the largest
// bounds first, for as long as it can be among the best. It reports whether it still can
// when all have been moved.
func (s *sumSearcher) advance(ctx *search.SearchContext, id index.IndexInternalID) (bool, error) {
	if s.nonEssential == 0 {
		return true, nil
	}
	score := 0.0
	for _, child := range s.byBound[s.nonEssential:] {
		if child.current != nil && child.current.IndexInternalID.Equals(id) {
			score += child.weight * child.current.Score
		}
	}
	const rounding = 1 + 1e-9 // scores are added in another order in the end
	for i := s.nonEssential; i > 0; i-- {
		if (score+s.bounds[i])*rounding < s.best.threshold() {
			return false, nil
		}
		child := s.byBound[i-1]
		if err := child.advance(ctx, id); err != nil {
			return false, err
		}
		if child.current != nil && child.current.IndexInternalID.Equals(id) {
			score += child.weight * child.current.Score
		}
	}
	return true, nil
}

// score gives a document with the sum of the scores of all children that are at it,
// and moves these to their next.
func (s *sumSearcher) score(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	var result *search.DocumentMatch
	score := 0.0
	var rest []*search.DocumentMatch
	for _, child := range s.children {
		match := child.current
		if match == nil || !match.IndexInternalID.Equals(id) {
			continue
		}
		score += child.weight * match.Score
		if result == nil {
			result = match
		} else {
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
