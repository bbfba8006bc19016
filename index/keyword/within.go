package keyword

import (
	"context"
	"errors"

	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"
)

// withinQuery matches what a query and a filter match, with the scores of the
// query. bleve's own filter iterates over everything that the query matches, and so
// takes about twice as long (BenchmarkSearch); here whichever is behind is
// advanced to where the other is.
type withinQuery struct{ query, filter query.Query }

var _ query.Query = (*withinQuery)(nil)

// Searcher implements query.Query.
func (q *withinQuery) Searcher(ctx context.Context, reader index.IndexReader, m mapping.IndexMapping, options search.SearcherOptions) (search.Searcher, error) {
	wanted, err := q.query.Searcher(ctx, reader, m, options)
	if err != nil {
		return nil, err
	}
	filter, err := q.filter.Searcher(ctx, reader, m, search.SearcherOptions{Score: "none"})
	if err != nil {
		return nil, errors.Join(err, wanted.Close())
	}
	return &withinSearcher{Searcher: wanted, filter: filter}, nil
}

// withinSearcher is the searcher of a query with a filter's beside it.
type withinSearcher struct {
	search.Searcher
	filter search.Searcher
}

// Next implements search.Searcher.
func (s *withinSearcher) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	passing, err := s.filter.Next(ctx)
	if err != nil || passing == nil {
		return nil, err
	}
	return s.from(ctx, passing)
}

// Advance implements search.Searcher.
func (s *withinSearcher) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	passing, err := s.filter.Advance(ctx, id)
	if err != nil || passing == nil {
		return nil, err
	}
	return s.from(ctx, passing)
}

// from gives the first match from where the filter is.
func (s *withinSearcher) from(ctx *search.SearchContext, passing *search.DocumentMatch) (*search.DocumentMatch, error) {
	for {
		match, err := s.Searcher.Advance(ctx, passing.IndexInternalID)
		if err != nil || match == nil {
			return nil, err
		}
		same := match.IndexInternalID.Equals(passing.IndexInternalID)
		ctx.DocumentMatchPool.Put(passing)
		if same {
			return match, nil
		}
		if passing, err = s.filter.Advance(ctx, match.IndexInternalID); err != nil || passing == nil {
			return nil, err
		}
		if passing.IndexInternalID.Equals(match.IndexInternalID) {
			ctx.DocumentMatchPool.Put(passing)
			return match, nil
		}
		ctx.DocumentMatchPool.Put(match)
	}
}

// Close implements search.Searcher.
func (s *withinSearcher) Close() error { return errors.Join(s.Searcher.Close(), s.filter.Close()) }

// Size implements search.Searcher.
func (s *withinSearcher) Size() int { return 32 + s.Searcher.Size() + s.filter.Size() }

// DocumentMatchPoolSize implements search.Searcher.
func (s *withinSearcher) DocumentMatchPoolSize() int {
	return s.Searcher.DocumentMatchPoolSize() + s.filter.DocumentMatchPoolSize() + 1
}
