// Package sequence is the number of the last change to a library on a cluster: by it the readers of all processes know
// whether what they remember is out of date.
package sequence

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
)

// Read gives the number of the last change that any process has announced, and the tag of its object. One that is damaged is
// none: the next change writes it anew.
func Read(ctx context.Context, store objects.Store) (number uint64, tag string, err error) {
	data, tag, err := store.GetTagged(ctx, form.SequenceKey)
	if errors.Is(err, objects.ErrAbsent) || errors.Is(err, index.ErrDamaged) {
		return 0, tag, nil
	}
	if err != nil {
		return 0, tag, fmt.Errorf("read the number of the last change: %w", err)
	}
	if number, err = strconv.ParseUint(string(data), 10, 64); err != nil {
		return 0, tag, nil //nolint:nilerr // damaged
	}
	return number, tag, nil
}

// Announce tells all processes that something has changed, and gives the number by which it does: that of the change, or a
// larger one. It is above all that were announced before, by whatever clock: else who has read one of those would take
// itself to be up to date.
func Announce(ctx context.Context, store objects.Store, change uint64) (uint64, error) {
	last, tag, err := Read(ctx, store)
	if err == nil {
		change = max(change, last+1)
		_, err = store.PutIf(ctx, form.SequenceKey, strconv.AppendUint(nil, change, 10), tag)
	}
	// In a conflict another process has announced a change just now, and with it this one, which is written.
	if err != nil && !errors.Is(err, objects.ErrConflict) {
		return 0, fmt.Errorf("announce a change: %w", err)
	}
	return change, nil
}
