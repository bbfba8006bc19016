package editing

import (
	"context"
	"fmt"
	"slices"
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

	mutex sync.Mutex                 // held while a change is made
	undos *tickets.Tickets[[]change] // what each change took the place of
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

// edit is change, and keeps what there was before for an hour.
func (e *editor) edit(ctx context.Context, field string, ids []index.ID, changeOf func(*index.Record) change) (Outcome, error) {
	back, err := e.change(ctx, field, ids, changeOf)
	if err != nil || len(back) == 0 {
		return Outcome{}, err
	}
	token, _ := e.undos.Put(back, len(back))
	return Outcome{Changed: len(back), Undo: token}, nil
}

// change makes changes in one commit, and gives what brings back what they took the place of. field names the records in
// the problem of one that is not there; "" passes over those.
func (e *editor) change(ctx context.Context, field string, ids []index.ID, changeOf func(*index.Record) change) (back []change, err error) {
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
			former, changes, err := addChange(&batch, record, changeOf(record))
			if err != nil {
				return err
			}
			if changes {
				back = append(back, former)
			}
		}
		return nil
	})
	if err != nil || len(back) == 0 {
		return nil, err
	}
	if _, err := e.library.Write(ctx, batch); err != nil {
		return nil, fmt.Errorf("change records: %w", err)
	}
	return back, nil
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

// addChange adds to the batch what changes a record, and gives what brings back what it has.
func addChange(batch *index.Batch, record *index.Record, c change) (back change, changes bool, err error) {
	if c.refused != nil {
		return back, false, c.refused
	}
	c.tags.ID, c.given.ID = record.ID, record.ID
	former := record.Tags
	if c.tags.Exactly {
		former = nil
	}
	back = change{tags: index.TagChange{ID: record.ID, Add: record.Tags}, given: index.GivenChange{ID: record.ID}}
	asked := c.tags.Exactly || len(c.tags.Add)+len(c.tags.Remove) > 0
	if asked && !slices.Equal(index.ChangeWords(former, c.tags.Add, c.tags.Remove), record.Tags) {
		batch.Tags, back.tags.Exactly, changes = append(batch.Tags, c.tags), true, true
	}
	given := c.given.Apply(record.Given)
	if err := given.Check(); err != nil {
		return back, false, problem.Newf(problem.InvalidRequest, "record %s: %v", record.ID, err)
	}
	if !given.Equal(record.Given) {
		batch.Given, changes = append(batch.Given, c.given), true
		back.given.Set = c.given.Set
		if len(c.given.AddCollections)+len(c.given.RemoveCollections) > 0 {
			back.given.Set |= index.GivenCollections
		}
		if len(c.given.AddPeople)+len(c.given.RemovePeople) > 0 {
			back.given.Set |= index.GivenPeople
		}
		if record.Given != nil {
			back.given.To = *record.Given
		}
	}
	if !back.tags.Exactly {
		back.tags.Add = nil
	}
	return back, changes, nil
}

// undo brings back what a change took the place of. What it did can be undone in turn.
func (e *editor) undo(ctx context.Context, token string) (Outcome, error) {
	kept, back, there := e.undos.Take(token)
	if !there {
		return Outcome{}, problem.New(problem.NotFound, "there is nothing to undo under this token: it was undone before, or too much time has passed")
	}
	ids, changes := make([]index.ID, len(kept)), make(map[index.ID]change, len(kept))
	for i, c := range kept {
		ids[i], changes[c.tags.ID] = c.tags.ID, c
	}
	done, err := e.edit(ctx, "", ids, func(r *index.Record) change { return changes[r.ID] })
	if err != nil {
		back()
	}
	return done, err
}
