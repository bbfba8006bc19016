package editing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"mekiki/index"
	"mekiki/server/api"
	"mekiki/server/problem"
	"mekiki/server/tickets"
)

// editor changes what people give to records, one change at a time, and keeps what was
// there before for those who want it back. Safe for concurrent use.
type editor struct {
	library api.Library
	renamed func(from, to string) // may be nil

	mutex sync.Mutex             // held while a change is made
	undos *tickets.Tickets[done] // what each change did
}

// change is what is to become of one record.
type change struct {
	tags  index.TagChange
	given index.GivenChange
	// refused says why the record must not be changed.
	refused error
}

// Outcome is the answer to a change.
type Outcome struct {
	// Changed counts the records that are not as before.
	Changed int `json:"changed"`
	// Undo is the token that undoes it; "" when nothing changed.
	Undo string `json:"undo,omitempty"`
}

// edit is change, and keeps for an hour what takes it back.
func (e *editor) edit(ctx context.Context, field string, ids []index.ID, changeOf func(*index.Record) change) (Outcome, error) {
	return e.rename(ctx, field, ids, changeOf, renaming{})
}

// rename is edit, and gives a collection another name by it.
func (e *editor) rename(ctx context.Context, field string, ids []index.ID, changeOf func(*index.Record) change, name renaming) (Outcome, error) {
	did, err := e.change(ctx, field, ids, changeOf)
	if err != nil || len(did) == 0 {
		return Outcome{}, err
	}
	if name != (renaming{}) && e.renamed != nil {
		e.renamed(name.from, name.to)
	}
	token, _ := e.undos.Put(done{did, name}, len(did))
	return Outcome{Changed: len(did), Undo: token}, nil
}

// change makes changes in one commit, and gives what takes them back. field names the records in
// the problem of one that is not there; "" passes over those.
func (e *editor) change(ctx context.Context, field string, ids []index.ID, changeOf func(*index.Record) change) (done []undoing, err error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	var batch index.Batch
	ctx = context.WithoutCancel(ctx) // who goes away half-way has asked for all of it
	err = e.library.Read(ctx, func(reader index.Reader) error {
		records, err := reader.Records(ctx, ids)
		if err != nil {
			return err
		}
		seen := make(map[index.ID]bool, len(ids))
		for i, record := range records {
			if record == nil && field != "" {
				return noSuchRecord(field, i, len(ids), ids[i])
			}
			if record == nil || seen[ids[i]] {
				continue
			}
			seen[ids[i]] = true
			did, changes, err := addChange(&batch, record, changeOf(record))
			if err != nil {
				return err
			}
			if changes {
				done = append(done, did)
			}
		}
		return nil
	})
	if err != nil || len(done) == 0 {
		return nil, err
	}
	if _, err := e.library.Write(ctx, batch); err != nil {
		return nil, fmt.Errorf("change records: %w", err)
	}
	return done, nil
}

// noSuchRecord is the problem of a record that is not there, named by a field, or by one place in a list.
func noSuchRecord(field string, place, of int, id index.ID) error {
	p := problem.Newf(problem.NotFound, "there is no record %s", id)
	if of > 1 || field == "ids" {
		field = fmt.Sprintf("%s[%d]", field, place)
	}
	p.Errors = []problem.Field{{Field: field, Detail: p.Detail}}
	return p
}

// addChange adds to the batch what changes a record, and gives what it does.
func addChange(batch *index.Batch, record *index.Record, c change) (did undoing, changes bool, err error) {
	if c.refused != nil {
		return did, false, c.refused
	}
	c.tags.ID, c.given.ID, did.id = record.ID, record.ID, record.ID
	former := record.Tags
	if c.tags.Exactly {
		former = nil
	}
	if c.tags.Exactly || len(c.tags.Add)+len(c.tags.Remove) > 0 {
		did.tags = difference(record.Tags, index.ChangeWords(former, c.tags.Add, c.tags.Remove))
	}
	if did.tags.changes() {
		batch.Tags, changes = append(batch.Tags, c.tags), true
	}
	given := c.given.Apply(record.Given)
	if err := given.Check(); err != nil {
		return did, false, problem.Newf(problem.InvalidRequest, "record %s: %v", record.ID, err)
	}
	if given.Equal(record.Given) {
		return did, changes, nil
	}
	batch.Given = append(batch.Given, c.given)
	did.set, did.before, did.after = c.given.Set&^lists, record.Given, given
	before, after := &index.Record{Given: record.Given}, &index.Record{Given: given}
	did.collections, did.people = difference(before.Collections(), after.Collections()), difference(before.People(), after.People())
	return did, true, nil
}

// undo takes a change back, as far as nobody else has changed the same since. What it did can be undone in turn.
func (e *editor) undo(ctx context.Context, token string) (Outcome, error) {
	kept, putBack, there := e.undos.Take(token)
	if !there {
		return Outcome{}, problem.New(problem.NotFound, "there is nothing to undo under this token: it was undone before, or too much time has passed")
	}
	ids, did := make([]index.ID, len(kept.records)), make(map[index.ID]undoing, len(kept.records))
	for i, one := range kept.records {
		ids[i], did[one.id] = one.id, one
	}
	back, err := e.renamedBack(ctx, kept.renamed)
	if err != nil {
		putBack()
		return Outcome{}, err
	}
	outcome, err := e.rename(ctx, "", ids, func(r *index.Record) change { return did[r.ID].back(r) }, back)
	if err != nil {
		putBack()
	}
	return outcome, err
}

// renamedBack is the renaming that takes one back: none where another collection has the former name by now, which the pictures
// go into, and which nobody has shared.
func (e *editor) renamedBack(ctx context.Context, name renaming) (renaming, error) {
	if name == (renaming{}) || strings.EqualFold(name.from, name.to) {
		return renaming{name.to, name.from}, nil
	}
	reader, err := e.library.Reader(ctx)
	if err != nil {
		return renaming{}, fmt.Errorf("undo: %w", err)
	}
	defer reader.Close()
	known, err := namesIn(ctx, reader)
	if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name.from) }) {
		return renaming{}, err
	}
	return renaming{name.to, name.from}, err
}
