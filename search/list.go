package search

import (
	"context"
	"fmt"
	"slices"
	"time"

	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/cursor"
	"mekiki/search/highlights"
	"mekiki/search/scoring"
	"mekiki/search/unread"
)

// listPage answers a request that has only filters: everything they leave is a
// hit, by date, and every page of it can be had. It gives the page's records too. The page has so many hits before it as the offset
// says, and goes on behind a place where there is one, which takes less time the further down the list it is.
func listPage(ctx context.Context, snapshot index.Reader, p *plan, offset int, behind *index.Place) (contract.Response, []*index.Record, error) {
	started := time.Now()
	page := index.Page{Offset: offset, Limit: p.request.Limit + 1} // the one beyond the page tells whether another page follows
	if behind != nil {
		page.Behind, page.Offset = behind, 0
	}
	records, total, err := listRecords(ctx, snapshot, p, page)
	if err != nil {
		return contract.Response{}, nil, err
	}
	more := len(records) > p.request.Limit
	records = records[:min(len(records), p.request.Limit)]
	response := contract.Response{
		Query: p.request.Text, Understood: p.understood(), Hits: []contract.Hit{}, Total: total, Offset: offset,
		Verdict: scoring.VerdictNone, Stage: contract.StageFinal, Candidates: total,
		Searched: snapshot.Count(p.kind), Warnings: p.warnings, Notices: p.notices,
		Timings: contract.Timings{KeywordMS: contract.Milliseconds(started)},
	}
	if missed, err := p.missesUnread(ctx, snapshot); err != nil {
		return contract.Response{}, nil, err
	} else if missed {
		response.Warnings = append(slices.Clone(p.warnings), unread.Message)
		response.Notices = append(slices.Clone(p.notices), contract.Notice{Code: contract.NoticeUnreadPictures, Message: unread.Message})
	}
	for i, record := range records {
		response.Hits = append(response.Hits, filterHit(record, offset+i+1))
	}
	p.showFiles(ctx, response.Hits)
	if p.request.Highlight {
		highlights.MarkOCR(response.Hits, p.written())
	}
	if total > 0 {
		response.Verdict = scoring.VerdictStrong
	}
	if more && len(records) > 0 {
		response.Next = offset + len(records)
		last := cursor.PlaceOf(records[len(records)-1])
		response.Cursor = cursor.Cursor{Key: p.key.short(), Offset: response.Next, Sequence: snapshot.Sequence(), Last: last}.String()
	}
	return response, records, nil
}

// listRecords gives a page of the records that the filters of a plan leave, by date, and how many there are.
func listRecords(ctx context.Context, snapshot index.Reader, p *plan, page index.Page) ([]*index.Record, int, error) {
	filter, err := resolveFilter(ctx, snapshot, p)
	if err != nil {
		return nil, 0, fmt.Errorf("filter: %w", err)
	}
	page.Order = p.request.Sort.ListOrder()
	records, total, err := snapshot.List(ctx, filter, page)
	if err != nil {
		return nil, 0, fmt.Errorf("list records: %w", err)
	}
	return records, total, nil
}

// filterHit presents a record that passes the filters.
func filterHit(record *index.Record, rank int) contract.Hit {
	hit := recordHit(record, rank)
	hit.Score, hit.Probability, hit.Verdict, hit.Basis, hit.Reason = 1, 1, scoring.VerdictStrong, contract.BasisFilter, "passes the filters"
	return hit
}
