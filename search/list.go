package search

import (
	"context"
	"fmt"
	"time"

	"mekiki/index"
	"mekiki/search/scoring"
)

// listPage answers a request that has only filters: everything they leave is a
// hit, by date, and every page of it can be had.
func listPage(ctx context.Context, snapshot index.Reader, p *plan, offset int) (Response, error) {
	started := time.Now()
	filter, err := resolveFilter(ctx, snapshot, p)
	if err != nil {
		return Response{}, fmt.Errorf("filter: %w", err)
	}
	order := index.OrderDateDescending
	if p.listingSort() == SortDateAscending {
		order = index.OrderDateAscending
	}
	records, total, err := snapshot.List(ctx, filter, index.Page{Offset: offset, Limit: p.request.Limit, Order: order})
	if err != nil {
		return Response{}, fmt.Errorf("list records: %w", err)
	}
	response := Response{
		Query: p.request.Text, Understood: p.understood(), Hits: []Hit{}, Total: total, Offset: offset,
		Verdict: scoring.VerdictNone, Stage: StageFinal, Candidates: total,
		Searched: snapshot.Count(p.kind), Warnings: p.warnings,
		Timings: Timings{KeywordMS: milliseconds(started)},
	}
	for i, record := range records {
		hit := recordHit(record, offset+i+1)
		hit.Score, hit.Probability, hit.Verdict, hit.Basis, hit.Reason = 1, 1, scoring.VerdictStrong, BasisFilter, "passes the filters"
		response.Hits = append(response.Hits, hit)
	}
	p.showFiles(ctx, response.Hits)
	if total > 0 {
		response.Verdict = scoring.VerdictStrong
	}
	if end := offset + len(records); len(records) > 0 && end < total {
		response.Next = end
		response.Cursor = cursor{Key: p.key.short(), Offset: end, Sequence: snapshot.Sequence()}.String()
	}
	return response, nil
}
