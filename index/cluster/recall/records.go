package recall

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
)

// Find gives the records that queries of the engine find, each query's in the order of the
// engine. The engine is asked which records they are, and then for those that are not
// remembered. One that is deleted in between is left out; one that changes is as it is then.
func (m *Memory) Find(ctx context.Context, queries ...engine.Query) ([][]*form.Record, error) {
	for i := range queries {
		queries[i].Properties = []string{document.Version}
	}
	answers, err := m.engine.Find(ctx, queries...)
	if err != nil {
		return nil, err
	}
	byID, missing := map[string]*form.Record{}, []string(nil)
	for _, answer := range answers {
		for _, found := range answer {
			if _, seen := byID[found.ID]; seen {
				continue
			}
			version := found.Text(document.Version)
			record, known := m.records.Get(version)
			if byID[found.ID] = record; !known || version == "" {
				missing = append(missing, found.ID)
			}
		}
	}
	if len(missing) > 0 {
		if err := m.fetch(ctx, queries[0], missing, byID); err != nil {
			return nil, err
		}
	}
	results := make([][]*form.Record, len(answers))
	for i, answer := range answers {
		for _, found := range answer {
			if record := byID[found.ID]; record != nil {
				results[i] = append(results[i], record)
			}
		}
	}
	return results, nil
}

// fetch reads the records of some objects, from the collection that a query asks, into a map by ID.
func (m *Memory) fetch(ctx context.Context, like engine.Query, ids []string, into map[string]*form.Record) error {
	pages := make([][]*form.Record, (len(ids)+pageOfRecords-1)/pageOfRecords)
	group, ctx := errgroup.WithContext(ctx)
	for i := range pages {
		page := ids[i*pageOfRecords : min((i+1)*pageOfRecords, len(ids))]
		group.Go(func() (err error) {
			pages[i], err = m.Read(ctx, engine.Query{Collection: like.Collection, Replicated: like.Replicated, Where: engine.IDs(page), Limit: len(page)})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, page := range pages {
		for _, record := range page {
			into[form.UUID(record.ID)] = record
		}
	}
	return nil
}

// Read gives the records that one query finds as the engine has them, and remembers them.
func (m *Memory) Read(ctx context.Context, query engine.Query) ([]*form.Record, error) {
	query.Properties = []string{document.Record, document.Version}
	answers, err := m.engine.Find(ctx, query)
	if err != nil {
		return nil, err
	}
	var records []*form.Record
	for _, found := range answers[0] {
		text := found.Text(document.Record)
		record, err := form.Decode([]byte(text))
		if err == nil {
			if version := found.Text(document.Version); version != "" {
				m.records.Put(version, record, int64(2*len(text))+200) // decoded, it takes about twice as much
			}
		} else if record, err = m.stored(ctx, found.ID, err); err != nil {
			return nil, err
		}
		if record != nil {
			records = append(records, record)
		}
	}
	return records, nil
}

// stored reads the record of an object of which the engine gives half: a node that was killed does, until the others
// have repaired it. It is nil where the store has no such record, or a damaged one: the others are found without it.
func (m *Memory) stored(ctx context.Context, object string, problem error) (*form.Record, error) {
	m.logger.Debug("an object of the engine has no record that can be read; the store's is taken", "object", object, "what", problem, "try", "mekiki cluster check --repair")
	data, err := m.store.Get(ctx, form.RecordKey(form.ID(object)))
	var record *form.Record
	if err == nil {
		record, err = form.Decode(data)
	}
	switch {
	case errors.Is(err, objects.ErrAbsent), err == nil && record.Gone != "":
		return nil, nil
	case errors.Is(err, index.ErrDamaged):
		m.logger.Warn("a record is damaged, and left out", "object", object, "what", err, "try", "mekiki cluster check")
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the record of object %s: %w", object, err)
	}
	return record, nil
}
