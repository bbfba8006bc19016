package cluster

import (
	"context"
	"errors"
	"fmt"

	"mekiki/index"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
)

// Upkeep is what package maintain does to a library beneath its contract.
type Upkeep struct{ l *Library }

// Upkeep gives what maintains the library.
func (l *Library) Upkeep() Upkeep { return Upkeep{l} }

// Store is where the library is, and Engine what finds it.
func (u Upkeep) Store() Store { return u.l.store }

// Engine is what finds the library.
func (u Upkeep) Engine() *engine.Client { return u.l.engine }

// State reads the state of the library.
func (u Upkeep) State(ctx context.Context) (*form.State, error) {
	s, _, err := readState(ctx, u.l.store)
	return s, err
}

// ChangeState changes the state by compare and swap, as often as it takes; change gives
// false for nothing to do.
func (u Upkeep) ChangeState(ctx context.Context, change func(*form.State) (bool, error)) (*form.State, error) {
	return u.l.change(ctx, change)
}

// CollectionName names the collection of a generation.
func (u Upkeep) CollectionName(generation int) string { return u.l.collection(generation) }

// Owns reports whether a collection is this library's: the state of a copied store names one of the library that
// it was copied from.
func (u Upkeep) Owns(collection string) bool { return u.l.owns(collection) }

// PrepareCollection makes a collection where it is not there, with a vector for each space.
func (u Upkeep) PrepareCollection(ctx context.Context, s *form.State, name string) error {
	if err := u.l.countShards(ctx); err != nil {
		return err
	}
	return u.l.prepareCollection(ctx, s, name)
}

// SetAlias lets the library's name stand for a collection, for other programs.
func (u Upkeep) SetAlias(ctx context.Context, collection string) error {
	return u.l.engine.SetAlias(ctx, u.l.options.Name, collection)
}

// Publish puts records of the store, as they are there, into a collection. Those that the
// store does not have are deleted from it; those that are damaged are left as they are, and
// given with their errors.
func (u Upkeep) Publish(ctx context.Context, s *form.State, ids []index.ID, collection string) (damaged map[index.ID]error, err error) {
	entries, problems := make([]*entry, len(ids)), make([]error, len(ids))
	err = each(ctx, len(ids), func(ctx context.Context, i int) error {
		read, err := u.l.readRecord(ctx, ids[i])
		if err == nil && read != nil {
			_, err = u.l.object(ctx, s, read.Record, nil)
		}
		if errors.Is(err, index.ErrDamaged) || errors.Is(err, objects.ErrAbsent) {
			problems[i] = err
			return nil
		}
		entries[i] = read
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	damaged = map[index.ID]error{}
	var good []*entry
	var gone []string
	for i, e := range entries {
		switch {
		case problems[i] != nil:
			damaged[ids[i]] = problems[i]
		case e == nil:
			gone = append(gone, form.UUID(ids[i]))
		default:
			good = append(good, e)
		}
	}
	return damaged, u.l.publishLast(ctx, s, good, gone, nil, []string{collection})
}
