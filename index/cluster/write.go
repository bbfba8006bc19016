package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/vector/representatives"
	"mekiki/internal/contextio"
)

// Write implements [index.Writer]. A batch that is refused changes nothing. When it returns
// without an error, store and engine have acknowledged all of it.
func (l *Library) Write(ctx context.Context, batch index.Batch) (index.WriteResult, error) {
	result, err := l.write(ctx, &batch, false)
	if err != nil {
		return index.WriteResult{}, fmt.Errorf("write to library: %w", err)
	}
	return result, nil
}

// Import writes records of another library: they keep the time when they were added and
// what people gave them. Those whose content is there already are merged as Write does.
func (l *Library) Import(ctx context.Context, puts []index.Put) error {
	for i := range puts {
		if err := puts[i].Record.Given.Check(); err != nil {
			return fmt.Errorf("import a record: %w", err)
		}
	}
	if _, err := l.write(ctx, &index.Batch{Puts: puts}, true); err != nil {
		return fmt.Errorf("import records: %w", err)
	}
	return nil
}

func (l *Library) write(ctx context.Context, batch *index.Batch, imports bool) (index.WriteResult, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.usable(ctx); err != nil {
		return index.WriteResult{}, err
	}
	ctx, mark := engine.Patient(ctx), form.NewMark()
	for range writeAttempts {
		current, _, err := readState(ctx, l.store)
		if err == nil {
			err = l.own(current)
		}
		if err != nil {
			return index.WriteResult{}, err
		}
		p := l.newPlan(current, l.nextSequence(), mark)
		p.imports = imports
		if err := p.load(ctx, batch); err != nil {
			return index.WriteResult{}, err
		}
		result, err := p.apply(ctx, batch)
		if err != nil {
			return index.WriteResult{}, err
		}
		if p.nothing {
			result.Sequence = l.sequenceKnown()
			return result, nil
		}
		// Who asked for a change and went away must not leave it in the store alone: the engine finds what was there before.
		lasting, done := contextio.Outlast(ctx, flushTime)
		if err = p.flush(lasting); err == nil {
			err = l.announce(lasting, p.sequence)
		}
		if done(); err == nil {
			return result, nil
		}
		if !errors.Is(err, objects.ErrConflict) {
			return index.WriteResult{}, err
		}
		if err := pause(ctx); err != nil {
			return index.WriteResult{}, err
		}
	}
	return index.WriteResult{}, fmt.Errorf("%w, %d times", objects.ErrConflict, writeAttempts)
}

// flush writes what was planned: first what nothing points to yet, then the records, then what is kept of
// those that go, then it marks these, then the engine, and in the end it deletes them and what nothing points to any more.
func (p *plan) flush(ctx context.Context) error {
	for _, step := range []func(context.Context) error{p.writeBlobs, p.claim, p.writeRecords, p.writeRest, p.bury, p.release, p.publish, p.deleteGone, p.sweep} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) writeBlobs(ctx context.Context) error {
	keys := sortedKeys(p.blobs)
	return each(ctx, len(keys), func(ctx context.Context, i int) error {
		return p.library.store.Put(ctx, keys[i], p.blobs[keys[i]])
	})
}

// claim claims the contents of new records, before any of these is written, so that of several processes one goes on.
func (p *plan) claim(ctx context.Context) error {
	return p.writeClaims(ctx, func(c *claim) bool { return c.ID != 0 })
}

// release gives up the contents of records that are gone.
func (p *plan) release(ctx context.Context) error {
	return p.writeClaims(ctx, func(c *claim) bool { return c.ID == 0 && c.of != 0 })
}

func (p *plan) writeClaims(ctx context.Context, which func(*claim) bool) error {
	var hashes []index.Hash
	for hash, claim := range p.claims {
		if claim.write && which(claim) {
			hashes = append(hashes, hash)
		}
	}
	return each(ctx, len(hashes), func(ctx context.Context, i int) error {
		claim, key := p.claims[hashes[i]], form.ContentKey(hashes[i])
		if claim.tag == "" && claim.of != 0 && !p.mine(claim.of) {
			written, err := p.library.readClaim(ctx, key)
			if err != nil || written == nil || written.ID != claim.of {
				return err
			}
			claim.tag = written.tag
		}
		if claim.tag == "" && claim.ID == 0 {
			return nil // both made and removed by this batch
		}
		data, err := json.Marshal(claim)
		if err == nil {
			_, err = p.library.store.PutIf(ctx, key, data, claim.tag)
		}
		return err
	})
}

// mine reports whether this batch made a record.
func (p *plan) mine(id index.ID) bool { return p.records[id] != nil && p.records[id].fresh }

// touched lists the records that pass, in order of ID.
func (p *plan) touched(which func(*entry) bool) []*entry {
	var list []*entry
	for _, e := range p.records {
		if which(e) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int { return int(int64(a.ID) - int64(b.ID)) })
	return list
}

func (p *plan) writeRecords(ctx context.Context) error {
	return p.writeEntries(ctx, p.touched(func(e *entry) bool { return e.dirty && !e.removed }), "")
}

// bury marks the objects of the records that go, so that whoever changes one of them at the same time is told, instead of
// this process by nobody. What people gave them is kept by then.
func (p *plan) bury(ctx context.Context) error {
	return p.writeEntries(ctx, p.touched(func(e *entry) bool { return e.removed && !e.fresh && e.Gone == "" }), p.mark)
}

// writeEntries writes the objects of records by compare and swap.
func (p *plan) writeEntries(ctx context.Context, entries []*entry, gone string) error {
	return each(ctx, len(entries), func(ctx context.Context, i int) error {
		e := entries[i]
		changed := *e.Record
		changed.Gone = gone
		changed.Sequence = p.sequence
		data, err := changed.Encode()
		if err != nil {
			return err
		}
		tag, err := p.library.store.PutIf(ctx, form.RecordKey(e.ID), data, e.tag)
		if err == nil {
			e.Record, e.tag = &changed, tag
		}
		return err
	})
}

// writeRest writes what is kept, failures and searches.
func (p *plan) writeRest(ctx context.Context) error {
	var gone []string
	put := map[string]any{}
	for key, kept := range p.written {
		put[key] = kept
	}
	for key, there := range p.kept {
		if _, again := p.written[key]; !there && !again {
			gone = append(gone, key)
		}
	}
	for path, failure := range p.failures {
		if failure == nil {
			gone = append(gone, form.FailureKey(path))
		} else {
			put[form.FailureKey(path)] = form.FailureOf(*failure)
		}
	}
	for key, search := range p.searches {
		if search == nil {
			gone = append(gone, key)
		} else {
			put[key] = search
		}
	}
	keys := sortedKeys(put)
	err := each(ctx, len(keys), func(ctx context.Context, i int) error {
		data, err := json.Marshal(put[keys[i]])
		if err != nil {
			return err
		}
		return p.library.store.Put(ctx, keys[i], data)
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	return p.library.store.Delete(ctx, gone...)
}

// deleteGone deletes the objects of the records that go.
func (p *plan) deleteGone(ctx context.Context) error {
	var gone []string
	for _, e := range p.touched(func(e *entry) bool { return e.removed && !e.fresh }) {
		gone = append(gone, form.RecordKey(e.ID))
	}
	if len(gone) == 0 {
		return nil
	}
	return p.library.store.Delete(ctx, gone...)
}

// publish brings the engine up to date. A record that another process changed meanwhile is
// published again, as it is by then: of several processes the last one does so.
func (p *plan) publish(ctx context.Context) error {
	var gone []string
	for _, e := range p.touched(func(e *entry) bool { return e.removed && !e.fresh }) {
		gone = append(gone, form.UUID(e.ID))
	}
	entries := p.touched(func(e *entry) bool { return e.publish && !e.removed })
	return p.library.publishLast(ctx, p.state, entries, gone, p.parts, p.state.Collections())
}

// publishLast publishes records as they are once nobody changes them, and deletes objects.
func (l *Library) publishLast(ctx context.Context, s *form.State, entries []*entry, gone []string, known map[string]embed.Parts, collections []string) error {
	for range writeAttempts {
		if err := l.publish(ctx, s, entries, known, collections); err != nil {
			return err
		}
		later, removed, err := l.changedMeanwhile(ctx, entries)
		if err != nil {
			return err
		}
		gone = append(gone, removed...)
		if entries = later; len(entries) == 0 {
			break
		}
	}
	for _, collection := range collections {
		if err := l.engine.Delete(ctx, collection, gone); err != nil {
			return err
		}
	}
	return nil
}

// changedMeanwhile gives those of some records that have been changed since they were
// written, as they are, and the objects of those that are gone. Nobody else knows of records
// that were just made.
func (l *Library) changedMeanwhile(ctx context.Context, entries []*entry) (changed []*entry, gone []string, err error) {
	now := make([]*entry, len(entries))
	err = each(ctx, len(entries), func(ctx context.Context, i int) (err error) {
		if now[i] = entries[i]; !entries[i].fresh {
			now[i], err = l.readRecord(ctx, entries[i].ID)
		}
		return err
	})
	for i, e := range now {
		switch {
		case e == nil:
			gone = append(gone, form.UUID(entries[i].ID))
		case e.tag != entries[i].tag:
			changed = append(changed, e)
		}
	}
	return changed, gone, err
}

// publish puts records into collections of the engine. Known has vectors that need not be
// read from the store.
func (l *Library) publish(ctx context.Context, s *form.State, entries []*entry, known map[string]embed.Parts, collections []string) error {
	objects := make([]engine.Object, len(entries))
	err := each(ctx, len(entries), func(ctx context.Context, i int) (err error) {
		objects[i], err = l.object(ctx, s, entries[i].Record, known)
		return err
	})
	if err != nil || len(objects) == 0 {
		return err
	}
	for _, collection := range collections {
		if err := l.engine.Put(ctx, collection, objects); err != nil {
			return err
		}
	}
	return nil
}

// object gives the engine's object of a record.
func (l *Library) object(ctx context.Context, s *form.State, record *form.Record, known map[string]embed.Parts) (engine.Object, error) {
	encoded, err := record.Encode()
	if err != nil {
		return engine.Object{}, err
	}
	object := engine.Object{ID: form.UUID(record.ID), Properties: document.Of(record, encoded), Vectors: map[string][]float32{}}
	for number, vectors := range record.Spaces {
		space, there := s.Numbered(number)
		if !there {
			continue
		}
		key := form.VectorKey(space.Embed(), record.Hash, vectors.Vectors)
		parts, staged := known[key]
		if !staged {
			if parts, err = l.memory.Parts(ctx, key); err != nil {
				return engine.Object{}, fmt.Errorf("vectors of record %d: %w", record.ID, err)
			}
		}
		most := min(max(l.options.Representatives, 1), form.Representatives)
		for i, one := range representatives.Of(parts.Values, parts.Width, most) {
			object.Vectors[space.Vectors()[i]] = one
		}
	}
	return object, nil
}

// sweep deletes what nothing points to any more.
func (p *plan) sweep(ctx context.Context) error {
	if len(p.obsolete) == 0 {
		return nil
	}
	slices.Sort(p.obsolete)
	return p.library.store.Delete(ctx, slices.Compact(p.obsolete)...)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
