package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"mekiki/index/internal/journal"
)

// rotate starts a new log and writes a checkpoint of the state before it. The
// log comes first: should the checkpoint fail, the logs before it still tell
// everything. The last checkpoint before this one, and the logs since, stay, in
// case the new checkpoint is damaged one day; what is older goes.
func (c *catalog) rotate(ctx context.Context, s *state) error {
	if err := c.seal(s.sequence); err != nil {
		return err
	}
	next := c.log.Number() + 1
	if err := c.start(journal.Header{Kind: journal.Log, Number: next}); err != nil {
		return err
	}
	size, err := c.writeCheckpoint(ctx, s, next)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	c.checkpointBytes = size
	return c.prune(next)
}

func (c *catalog) writeCheckpoint(ctx context.Context, s *state, number uint64) (int64, error) {
	name := filepath.Join(c.folder, checkpointName(number))
	header := journal.Header{Kind: journal.Checkpoint, Number: number}
	writer, err := journal.Create(c.fsys, name+temporarySuffix, header)
	if err != nil {
		return 0, err
	}
	err = fillCheckpoint(ctx, writer, s)
	size := writer.Size()
	if err = errors.Join(err, writer.Close()); err != nil {
		return 0, errors.Join(err, c.fsys.Remove(name+temporarySuffix))
	}
	if err := c.fsys.Rename(name+temporarySuffix, name); err != nil {
		return 0, errors.Join(err, c.fsys.Remove(name+temporarySuffix))
	}
	return size, c.fsys.SyncDir(filepath.Join(c.folder, catalogFolder))
}

// fillCheckpoint writes a state to a journal that was just begun.
func fillCheckpoint(ctx context.Context, writer *journal.Writer, s *state) error {
	err := dump(ctx, s, func(payload []byte) error {
		return writer.Append(journal.Frame{Kind: journal.Data, Sequence: s.sequence, Payload: payload})
	})
	if err == nil {
		err = writer.Append(journal.Frame{Kind: journal.Seal, Sequence: s.sequence})
	}
	if err == nil {
		err = writer.Sync()
	}
	return err
}

// dump gives the operations that make the state from nothing, in pieces, which are
// the same each time.
func dump(ctx context.Context, s *state, write func([]byte) error) error {
	t := newTransaction(&state{}, newLookup(), s.sequence)
	flush := func(limit int) error {
		if len(t.payload) < limit {
			return nil
		}
		payload := t.payload
		t.payload = payload[:0]
		return errors.Join(ctx.Err(), write(payload))
	}
	t.putNextID(s.nextID, s.nextSegment)
	for _, space := range s.spaces {
		t.log(operationPutSpace, func(e *encoder) { encodeSpace(e, space) })
	}
	for _, record := range s.records.all() {
		t.log(operationPutRecord, func(e *encoder) { encodeRecord(e, record) })
		if err := flush(checkpointFrameSize); err != nil {
			return err
		}
	}
	for _, space := range s.spaces {
		for id, location := range space.locations.all() {
			t.log(operationPutLocation, func(e *encoder) { encodeLocation(e, space.number, id, location) })
			if err := flush(checkpointFrameSize); err != nil {
				return err
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(s.failures)) {
		failure := s.failures[path]
		t.log(operationPutFailure, func(e *encoder) { encodeFailure(e, &failure) })
		if err := flush(checkpointFrameSize); err != nil {
			return err
		}
	}
	for _, kept := range sortedKept(s.kept) {
		t.log(operationPutKept, func(e *encoder) { encodeKept(e, &kept) })
		if err := flush(checkpointFrameSize); err != nil {
			return err
		}
	}
	return flush(1)
}

// prune removes what lies before the last checkpoint before newest. Damaged
// files are moved to the quarantine instead.
func (c *catalog) prune(newest uint64) error {
	logs, checkpoints, err := catalogFiles(c.fsys, c.folder)
	if err != nil {
		return err
	}
	var number uint64
	for _, candidate := range checkpoints {
		if candidate < newest && !c.damaged[checkpointName(candidate)] {
			number = candidate
		}
	}
	var names []string
	for _, old := range logs {
		if old < number {
			names = append(names, logName(old))
		}
	}
	for _, old := range checkpoints {
		if old < number {
			names = append(names, checkpointName(old))
		}
	}
	if len(names) == 0 {
		return nil
	}
	var problems []error
	for _, name := range names {
		problems = append(problems, c.discard(name))
	}
	problems = append(problems, c.fsys.SyncDir(filepath.Join(c.folder, catalogFolder)))
	return errors.Join(problems...)
}
