package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/sequence"
	"mekiki/internal/hint"
)

func readState(ctx context.Context, store Store) (*form.State, string, error) {
	data, tag, err := store.GetTagged(ctx, form.StateKey)
	if errors.Is(err, objects.ErrAbsent) {
		return nil, "", hint.Wrap(fmt.Errorf("%w: the store has no library at the prefix of the settings", index.ErrNotLibrary), "make one with: mekiki cluster init")
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the library's state: %w", err)
	}
	read := new(form.State)
	if err := json.Unmarshal(data, read); err != nil {
		return nil, "", fmt.Errorf("read the library's state: %w: %w", index.ErrDamaged, err)
	}
	if read.Version != form.Version {
		return nil, "", hint.Wrap(fmt.Errorf("%w %d", index.ErrVersion, read.Version), "use the version of mekiki that wrote it, or a newer one")
	}
	return read, tag, nil
}

// errForeign: the engine's collection of the state has another name than the settings say.
var errForeign = hint.Wrap(fmt.Errorf("%w: its collection in the engine is of another name: the store is a copy of another library's, or engine.collection was changed", index.ErrUnavailable),
	"run: mekiki cluster rebuild")

// own fails where the state names a collection of another library: that of a store which this
// one was copied from. It must neither be read nor written.
func (l *Library) own(s *form.State) error {
	for _, collection := range s.Collections() {
		if !l.owns(collection) {
			return errForeign
		}
	}
	return nil
}

// owns reports whether a collection has a name that this library gives.
func (l *Library) owns(collection string) bool {
	return strings.HasPrefix(collection, l.options.Name+generationMark)
}

// change changes the state by compare and swap. Change may be called several times; where
// it returns an error, or false for nothing to do, nothing is written.
func (l *Library) change(ctx context.Context, change func(*form.State) (bool, error)) (*form.State, error) {
	for range writeAttempts {
		read, tag, err := readState(ctx, l.store)
		if err != nil {
			return nil, err
		}
		changes, err := change(read)
		if err != nil || !changes {
			return read, err
		}
		data, err := json.Marshal(read)
		if err != nil {
			return nil, err
		}
		_, err = l.store.PutIf(ctx, form.StateKey, data, tag)
		if err == nil {
			l.known.Store(&known{state: read, read: l.clock(), sequence: l.sequenceKnown()})
			return read, nil
		}
		if !errors.Is(err, objects.ErrConflict) {
			return nil, fmt.Errorf("write the library's state: %w", err)
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("write the library's state: %w, %d times", objects.ErrConflict, writeAttempts)
}

// known is what a process knows of the state and of the last change, and since when.
type known struct {
	state    *form.State
	sequence uint64
	read     time.Time
}

func (l *Library) sequenceKnown() uint64 {
	if k := l.known.Load(); k != nil {
		return k.sequence
	}
	return 0
}

// current gives the state, which was so at most [stateAge] ago.
func (l *Library) current(ctx context.Context) (*known, error) {
	if k := l.known.Load(); k != nil && l.clock().Sub(k.read) < stateAge {
		return k, nil
	}
	l.reading.Lock()
	defer l.reading.Unlock()
	before := l.known.Load()
	if before != nil && l.clock().Sub(before.read) < stateAge {
		return before, nil
	}
	now := l.clock()
	read, _, err := readState(ctx, l.store)
	if err != nil {
		return nil, err
	}
	number, _, err := sequence.Read(ctx, l.store)
	if err != nil {
		return nil, err
	}
	k := &known{state: read, sequence: max(number, l.sequenceKnown()), read: now}
	if !l.known.CompareAndSwap(before, k) {
		return l.known.Load(), nil // this process has changed it since it was read
	}
	return k, nil
}

// nextSequence gives a number for a change: above all that this process knows, and by the
// clock, so that numbers of several processes grow together.
func (l *Library) nextSequence() uint64 {
	return max(uint64(max(l.clock().UnixMicro(), 0)), l.sequenceKnown()+1)
}

// announce tells other processes, and this one, that something has changed.
func (l *Library) announce(ctx context.Context, change uint64) error {
	number, err := sequence.Announce(ctx, l.store, change)
	if err != nil {
		return err
	}
	for {
		k := l.known.Load()
		if k == nil || k.sequence >= number {
			return nil
		}
		if l.known.CompareAndSwap(k, &known{state: k.state, read: k.read, sequence: number}) {
			return nil
		}
	}
}
