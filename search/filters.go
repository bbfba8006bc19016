package search

import (
	"context"

	"mekiki/index"
	"mekiki/index/filters"
)

// resolveFilter gives the filter of a plan over a snapshot. Where no single
// filter says it, the second one is turned into the records that pass it.
func resolveFilter(ctx context.Context, snapshot index.Reader, p *plan) (index.Filter, error) {
	if p.also == nil {
		return p.filter, nil
	}
	if joined, ok := filters.Join(p.filter, *p.also); ok {
		return joined, nil
	}
	records, _, err := snapshot.List(ctx, *p.also, index.Page{})
	if err != nil {
		return index.Filter{}, err
	}
	ids := index.IDs(records)
	return filters.OnlyIDs(p.filter, ids), nil
}
