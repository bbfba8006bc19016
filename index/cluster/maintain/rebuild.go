package maintain

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"mekiki/embed/priority"
	"mekiki/index"
	"mekiki/index/cluster"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
)

// Progress is told how many records are done.
type Progress func(done int)

// Rebuilt says what a rebuild did.
type Rebuilt struct {
	// Collection is the one that serves now, of Records records.
	Collection string `json:"collection"`
	Records    int    `json:"records"`
	// Damaged are records that could not be put into it, and why.
	Damaged map[index.ID]string `json:"damaged,omitempty"`
}

// Rebuild fills a new collection from the store alone, while the old one, if there is one,
// serves, and lets it serve. Others may write meanwhile. One that was stopped goes on with
// the same collection when it is run again.
func Rebuild(ctx context.Context, library *cluster.Library, progress Progress) (Rebuilt, error) {
	ctx = priority.Background(ctx) // it can wait
	u, began := library.Upkeep(), time.Now()
	s, err := u.ChangeState(ctx, func(s *form.State) (bool, error) {
		if s.Filling == "" || !u.Owns(s.Filling) {
			s.Generation++
			s.Filling = u.CollectionName(s.Generation)
		}
		return true, nil
	})
	if err != nil {
		return Rebuilt{}, err
	}
	if err := u.PrepareCollection(ctx, s, s.Filling); err != nil {
		return Rebuilt{}, err
	}
	rebuilt := Rebuilt{Collection: s.Filling, Damaged: map[index.ID]string{}}
	if err := rebuilt.fill(ctx, u, s, time.Time{}, progress); err != nil {
		return rebuilt, err
	}
	// Whoever read the state before did not write to the new collection.
	if err := rebuilt.fill(ctx, u, s, began.Add(-longestWrite), nil); err != nil {
		return rebuilt, err
	}
	counts, err := u.Engine().Count(ctx, s.Filling, engine.Condition{})
	if err != nil {
		return rebuilt, err
	}
	rebuilt.Records = counts[0]
	old := s.Collection
	if _, err = u.ChangeState(ctx, func(s *form.State) (bool, error) {
		if s.Filling != rebuilt.Collection {
			return false, fmt.Errorf("another rebuild is under way: %s is filled", s.Filling)
		}
		s.Collection, s.Filling = s.Filling, ""
		return true, nil
	}); err != nil {
		return rebuilt, err
	}
	if err := u.SetAlias(ctx, rebuilt.Collection); err != nil {
		return rebuilt, err
	}
	select {
	case <-ctx.Done():
		return rebuilt, ctx.Err()
	case <-time.After(readersLeave):
	}
	if !u.Owns(old) { // it is of the library that the store was copied from
		return rebuilt, nil
	}
	return rebuilt, u.Engine().DropCollection(ctx, old)
}

// fill puts the records of the store that were modified after a moment into the collection.
func (r *Rebuilt) fill(ctx context.Context, u cluster.Upkeep, s *form.State, after time.Time, progress Progress) error {
	done := 0
	var batch []index.ID
	flush := func() error {
		damaged, err := u.Publish(ctx, s, batch, r.Collection)
		for id, problem := range damaged {
			r.Damaged[id] = problem.Error()
		}
		if done += len(batch); progress != nil {
			progress(done)
		}
		batch = batch[:0]
		return err
	}
	for record, err := range records(ctx, u.Store()) {
		if err != nil {
			return err
		}
		if !record.modified.After(after) {
			continue
		}
		if batch = append(batch, record.id); len(batch) == batchRecords {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// listed is a record's object as a listing has it.
type listed struct {
	id       index.ID
	modified time.Time
}

// records lists the records of the store, in order of ID.
func records(ctx context.Context, store objects.Store) iter.Seq2[listed, error] {
	return func(yield func(listed, error) bool) {
		for info, err := range store.List(ctx, form.RecordPrefix) {
			if err != nil {
				yield(listed{}, fmt.Errorf("list records: %w", err))
				return
			}
			name := info.Key[strings.LastIndexByte(info.Key, '/')+1:]
			id, err := strconv.ParseUint(strings.TrimSuffix(name, ".json"), 16, 64)
			if err != nil || form.RecordKey(index.ID(id)) != info.Key {
				continue // not of this program
			}
			if !yield(listed{index.ID(id), info.Modified}, nil) {
				return
			}
		}
	}
}
