package search

import (
	"context"
	"errors"
	"fmt"

	"mekiki/index"
	"mekiki/index/excerpt"
	"mekiki/index/facets"
	"mekiki/search/contract"
	"mekiki/search/inputs"
)

// countsKey names the counts of the hits of a request.
type countsKey struct {
	ranking  rankingKey
	sequence uint64
	// entries is the number of candidates, which grows when somebody reads on.
	entries int
	show    contract.Show
	minimum float64
}

// Facets counts all hits of a request, not only those of its page, by what filters ask of them. A request
// for nothing counts all images. Where the request was answered just before, nothing is searched again. What
// the caller can put right is a [contract.Error].
func (s *Searcher) Facets(ctx context.Context, request contract.Request, query facets.Query) (contract.Facets, error) {
	var wrong *facets.OptionError
	if err := query.Check(); errors.As(err, &wrong) {
		return contract.Facets{}, contract.InvalidOption(wrong.Option, wrong.Remedy, "%s", wrong.Problem)
	}
	p, err := s.prepareAny(request)
	if err != nil {
		return contract.Facets{}, err
	}
	p.key = excerpt.Apart(ctx, p.key)
	if err := s.interpret(ctx, p); err != nil {
		return contract.Facets{}, err
	}
	snapshot, err := s.library.Reader(ctx)
	if err != nil {
		return contract.Facets{}, fmt.Errorf("read library: %w", err)
	}
	defer snapshot.Close()
	if err := inputs.CheckRecords(ctx, snapshot, append([]index.ID{p.request.Record}, p.request.Records...)); err != nil {
		return contract.Facets{}, err
	}
	if err := s.respell(ctx, snapshot, p); err != nil {
		return contract.Facets{}, err
	}
	if p.listing() && len(p.unwanted)+len(p.unwantedPhrases) == 0 {
		return s.listFacets(ctx, snapshot, p, query)
	}
	return s.rankFacets(ctx, snapshot, p, query)
}

// listFacets counts what the filters leave.
func (s *Searcher) listFacets(ctx context.Context, snapshot index.Reader, p *plan, query facets.Query) (contract.Facets, error) {
	filter, err := resolveFilter(ctx, snapshot, p)
	if err != nil {
		return contract.Facets{}, fmt.Errorf("filter: %w", err)
	}
	counts, err := s.counted(countsKey{ranking: p.key, sequence: snapshot.Sequence()}, func() (*facets.Counts, error) {
		if grouper, groups := snapshot.(facets.Grouper); groups {
			grouped, err := grouper.FacetGroups(ctx, filter)
			if err != nil {
				return nil, err
			}
			return facets.CountGroups(ctx, grouped)
		}
		records, _, err := snapshot.List(ctx, filter, index.Page{})
		if err != nil {
			return nil, err
		}
		return facets.Count(ctx, records)
	})
	if err != nil {
		return contract.Facets{}, err
	}
	return p.facets(counts, query, false), nil
}

// rankFacets counts the hits of a ranking.
func (s *Searcher) rankFacets(ctx context.Context, snapshot index.Reader, p *plan, query facets.Query) (contract.Facets, error) {
	k := s.knownRanking(p, snapshot, nil, 0)
	if k == nil {
		keep := func(made *ranking) error {
			k = made
			return nil
		}
		if err := s.rank(ctx, snapshot, p, nil, false, keep); err != nil {
			return contract.Facets{}, err
		}
	}
	key := countsKey{p.key, k.sequence, len(k.entries), p.request.Show, p.request.MinimumProbability}
	counts, err := s.counted(key, func() (*facets.Counts, error) {
		shown, err := k.shown(ctx, snapshot, p.request)
		if err != nil {
			return nil, err
		}
		records := make([]*index.Record, len(shown))
		for i, entry := range shown {
			records[i] = entry.record
		}
		return facets.Count(ctx, records)
	})
	if err != nil {
		return contract.Facets{}, err
	}
	return p.facets(counts, query, k.full), nil
}

// counted gives counts that are known, or makes them.
func (s *Searcher) counted(key countsKey, count func() (*facets.Counts, error)) (*facets.Counts, error) {
	if known, ok := s.counts.Get(key); ok {
		return known, nil
	}
	made, err := count()
	if err != nil {
		return nil, fmt.Errorf("count facets: %w", err)
	}
	s.counts.Put(key, made, 1)
	return made, nil
}

// facets are counts as an answer.
func (p *plan) facets(counts *facets.Counts, query facets.Query, full bool) contract.Facets {
	response := contract.Facets{Total: counts.Total(), TotalIsLowerBound: full, Facets: counts.Select(query), Warnings: p.warnings}
	if len(p.asks) > 0 {
		response.Warnings = append(response.Warnings, "the counts are of what was found before anything was asked")
	}
	return response
}
