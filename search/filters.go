package search

import (
	"context"
	"errors"

	"mekiki/index"
	"mekiki/index/filters"
)

// validateFilter refuses what no record could pass.
func validateFilter(f index.Filter) error {
	var wrong *filters.ValueError
	switch err := filters.Check(f); {
	case !errors.As(err, &wrong):
		return err
	case wrong.Date:
		return &Error{
			Code: CodeInvalidDate, Field: "filter.before", Message: "no date lies between after and before",
			Remedy: "after is the first moment wanted, before the first one no longer wanted",
		}
	}
	return invalidOption("filter.near", wrong.Remedy, "there is no such place on the earth")
}

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
