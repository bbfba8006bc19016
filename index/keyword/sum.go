package keyword

import (
	"container/heap"
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

// sumSearcher merges searchers in document order.
type sumSearcher struct {
	children []*child
	queue    queue
	started  bool
}

var _ search.Searcher = (*sumSearcher)(nil)

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

func (s *sumSearcher) start(ctx *search.SearchContext, advance func(search.Searcher) (*search.DocumentMatch, error)) error {
	s.started = true
	for _, child := range s.children {
		match, err := advance(child.searcher)
		if err != nil {
			return err
		}
		if child.current = match; match != nil {
			s.queue = append(s.queue, child)
		}
	}
	heap.Init(&s.queue)
	return nil
}

// Next implements search.Searcher.
func (s *sumSearcher) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	if !s.started {
		if err := s.start(ctx, func(c search.Searcher) (*search.DocumentMatch, error) { return c.Next(ctx) }); err != nil {
			return nil, err
		}
	}
	if len(s.queue) == 0 {
		return nil, nil
	}
	result := s.queue[0].current
	score, owned := 0.0, false
	var rest []*search.DocumentMatch
	for len(s.queue) > 0 && s.queue[0].current.IndexInternalID.Equals(result.IndexInternalID) {
		child := s.queue[0]
		score += child.weight * child.current.Score
		if owned {
			rest = append(rest, child.current)
		}
		owned = true
		next, err := child.searcher.Next(ctx)
		if err != nil {
			return nil, err
		}
		if child.current = next; next == nil {
			heap.Pop(&s.queue)
		} else {
			heap.Fix(&s.queue, 0)
		}
	}
	result.Score = score
	result.FieldTermLocations = search.MergeFieldTermLocations(result.FieldTermLocations, rest)
	for _, match := range rest {
		ctx.DocumentMatchPool.Put(match)
	}
	return result, nil
}

// Advance implements search.Searcher.
func (s *sumSearcher) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	advance := func(c search.Searcher) (*search.DocumentMatch, error) { return c.Advance(ctx, id) }
	if !s.started {
		if err := s.start(ctx, advance); err != nil {
			return nil, err
		}
		return s.Next(ctx)
	}
	for len(s.queue) > 0 && s.queue[0].current.IndexInternalID.Compare(id) < 0 {
		child := s.queue[0]
		ctx.DocumentMatchPool.Put(child.current)
		next, err := advance(child.searcher)
		if err != nil {
			return nil, err
		}
		if child.current = next; next == nil {
			heap.Pop(&s.queue)
		} else {
			heap.Fix(&s.queue, 0)
		}
	}
	return s.Next(ctx)
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

// queue is a heap of children by their current document.
type queue []*child

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].current.IndexInternalID.Compare(q[j].current.IndexInternalID) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(*child)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
