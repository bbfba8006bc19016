package cluster

import (
	"context"
	"fmt"
	"iter"
	"math"

	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/lists"
	"mekiki/index/filters"
)

// passing goes through the records that pass a filter, in no order. Where the engine finds
// more than one query may give, all records are gone through.
func (r *Reader) passing(ctx context.Context, filter index.Filter, kind index.Kind) iter.Seq2[*index.Record, error] {
	return func(yield func(*index.Record, error) bool) {
		if err := r.usable(ctx); err != nil {
			yield(nil, err)
			return
		}
		m := filters.Compile(filter)
		condition, _ := document.Where(filter, m, kind)
		counts, err := r.library.engine.Count(ctx, r.state.Collection, condition)
		if err != nil {
			yield(nil, err)
			return
		}
		candidates := r.scan(ctx)
		if counts[0] <= engine.MaximumResults {
			candidates = r.found(ctx, r.query(condition, engine.MaximumResults))
		}
		for record, err := range candidates {
			if err != nil {
				yield(nil, err)
				return
			}
			if (kind == 0 || record.Kind == kind) && m.Matches(&record.Record) && !yield(&record.Record, nil) {
				return
			}
		}
	}
}

// found goes through what one query finds.
func (r *Reader) found(ctx context.Context, query engine.Query) iter.Seq2[*form.Record, error] {
	return func(yield func(*form.Record, error) bool) {
		answers, err := r.find(ctx, query)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, record := range answers[0] {
			if !yield(record, nil) {
				return
			}
		}
	}
}

// List implements [index.Reader]. Where the engine can tell by itself what passes, it sorts,
// and only the page is read.
func (r *Reader) List(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error) {
	if err := r.usable(ctx); err != nil {
		return nil, 0, err
	}
	condition, exact := document.Where(filter, filters.Compile(filter), 0)
	byID := page.Order == index.OrderAdded || page.Order == index.OrderNewest
	switch {
	case exact && byID && page.Limit > 0 && page.Limit <= engine.MaximumResults && page.Offset <= engine.MaximumResults-page.Limit:
		return r.listSorted(ctx, condition, page)
	case page.Limit > 0:
		known, err := r.library.current(ctx)
		if err != nil {
			return nil, 0, err
		}
		from := lists.Source{Passing: r.passing(ctx, filter, 0), Records: r.Records}
		records, total, err := r.library.lists.Page(ctx, fmt.Sprintf("%s %d", r.state.Collection, known.sequence), from, filter, page)
		if err != nil {
			return nil, 0, fmt.Errorf("list records: %w", err)
		}
		return records, total, nil
	}
	var records []*index.Record
	for record, err := range r.passing(ctx, filter, 0) {
		if err != nil {
			return nil, 0, fmt.Errorf("list records: %w", err)
		}
		records = append(records, record)
	}
	return lists.Cut(records, page), len(records), nil
}

// listSorted lets the engine sort by ID.
func (r *Reader) listSorted(ctx context.Context, condition engine.Condition, page index.Page) ([]*index.Record, int, error) {
	query := r.query(condition, page.Limit)
	if page.Behind != nil {
		query.Where = engine.All(condition, document.Behind(page))
	}
	query.Offset, query.Sort = max(page.Offset, 0), []engine.Sort{{Property: document.Number, Descending: page.Order == index.OrderNewest}}
	var records []*index.Record
	for record, err := range r.found(ctx, query) {
		if err != nil {
			return nil, 0, fmt.Errorf("list records: %w", err)
		}
		records = append(records, &record.Record)
	}
	counts, err := r.library.engine.Count(ctx, r.state.Collection, condition)
	if err != nil {
		return nil, 0, fmt.Errorf("list records: %w", err)
	}
	return records, counts[0], nil
}

// Layout implements [index.Reader].
func (r *Reader) Layout(ctx context.Context, filter index.Filter, order index.Order) (index.Layout, error) {
	var records []*index.Record
	for record, err := range r.passing(ctx, filter, index.KindImage) {
		if err != nil {
			return index.Layout{}, fmt.Errorf("lay out images: %w", err)
		}
		records = append(records, record)
	}
	lists.Sort(records, order)
	var layout index.Layout
	for _, record := range records {
		day := int32(index.NoDay)
		if date := record.Date(); !date.IsZero() {
			day = int32(math.Floor(float64(date.Unix()) / (24 * 60 * 60)))
		}
		layout.IDs, layout.Ratios, layout.Days = append(layout.IDs, record.ID), append(layout.Ratios, record.Ratio()), append(layout.Days, day)
	}
	return layout, nil
}

// Facets implements [index.Reader].
func (r *Reader) Facets(ctx context.Context, filter index.Filter) (index.Facets, error) {
	counts := document.NewCounts()
	for record, err := range r.passing(ctx, filter, 0) {
		if err != nil {
			return index.Facets{}, fmt.Errorf("count records: %w", err)
		}
		counts.Add(record)
	}
	return counts.Facets(), nil
}
