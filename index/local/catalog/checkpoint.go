package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"mekiki/index/local/journal"
	"mekiki/internal/vfs"
)

// Rotate starts a new log and writes a checkpoint of the state before it. The
// log comes first: should the checkpoint fail, the logs before it still tell
// everything. The last checkpoint before this one, and the logs since, stay, in
// case the new checkpoint is damaged one day; what is older goes.
func (c *Writer) Rotate(ctx context.Context, s *State) error {
	if err := c.Seal(s.Sequence); err != nil {
		return err
	}
	next := c.Log.Number() + 1
	if err := c.start(journal.Header{Kind: journal.Log, Number: next}); err != nil {
		return err
	}
	size, err := c.writeCheckpoint(ctx, s, next)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	c.CheckpointBytes = size
	return c.prune(next)
}

func (c *Writer) writeCheckpoint(ctx context.Context, s *State, number uint64) (int64, error) {
	name := filepath.Join(c.folder, CheckpointName(number))
	header := journal.Header{Kind: journal.Checkpoint, Number: number}
	writer, err := journal.Create(c.fsys, name+vfs.TemporarySuffix, header)
	if err != nil {
		return 0, err
	}
	err = FillCheckpoint(ctx, writer, s)
	size := writer.Size()
	if err = errors.Join(err, writer.Close()); err != nil {
		return 0, errors.Join(err, c.fsys.Remove(name+vfs.TemporarySuffix))
	}
	if err := c.fsys.Rename(name+vfs.TemporarySuffix, name); err != nil {
		return 0, errors.Join(err, c.fsys.Remove(name+vfs.TemporarySuffix))
	}
	return size, c.fsys.SyncDir(filepath.Join(c.folder, Folder))
}

// FillCheckpoint writes a state to a journal that was just begun.
func FillCheckpoint(ctx context.Context, writer *journal.Writer, s *State) error {
	err := dump(ctx, s, func(payload []byte) error {
		return writer.Append(journal.Frame{Kind: journal.Data, Sequence: s.Sequence, Payload: payload})
	})
	if err == nil {
		err = writer.Append(journal.Frame{Kind: journal.Seal, Sequence: s.Sequence})
	}
	if err == nil {
		err = writer.Sync()
	}
	return err
}

// dump gives the operations that make the state from nothing, in pieces, which are
// the same each time.
func dump(ctx context.Context, s *State, write func([]byte) error) error {
	t := Begin(&State{}, NewLookup(), s.Sequence)
	flush := func(limit int) error {
		if len(t.payload) < limit {
			return nil
		}
		payload := t.payload
		t.payload = payload[:0]
		return errors.Join(ctx.Err(), write(payload))
	}
	t.PutNextID(s.nextID, s.NextSegment)
	for _, space := range s.Spaces {
		t.log(operationPutSpace, func(e *encoder) { encodeSpace(e, space) })
	}
	for _, record := range s.Records.All() {
		t.log(operationPutRecord, func(e *encoder) { encodeRecord(e, record) })
		if record.Given != nil {
			t.payload = appendGiven(t.payload, record)
		}
		if err := flush(checkpointFrameSize); err != nil {
			return err
		}
	}
	for _, space := range s.Spaces {
		for id, location := range space.Locations.All() {
			t.log(operationPutLocation, func(e *encoder) { encodeLocation(e, space.Number, id, location) })
			if err := flush(checkpointFrameSize); err != nil {
				return err
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(s.Failures)) {
		failure := s.Failures[path]
		t.log(operationPutFailure, func(e *encoder) { encodeFailure(e, &failure) })
		if err := flush(checkpointFrameSize); err != nil {
			return err
		}
	}
	for _, kept := range SortedKept(s.Kept) {
		t.log(operationPutKept, func(e *encoder) { encodeKept(e, &kept) })
		if kept.Given != nil {
			t.log(operationPutKeptGiven, func(e *encoder) { encodeKeptGiven(e, &kept) })
		}
		if err := flush(checkpointFrameSize); err != nil {
			return err
		}
	}
	for _, search := range SortedSearches(s.Searches) {
		t.log(operationPutSearch, func(e *encoder) { encodeSearch(e, search) })
	}
	return flush(1)
}

// prune removes what lies before the last checkpoint before newest. Damaged
// files are moved to the quarantine instead.
func (c *Writer) prune(newest uint64) error {
	logs, checkpoints, err := Files(c.fsys, c.folder)
	if err != nil {
		return err
	}
	var number uint64
	for _, candidate := range checkpoints {
		if candidate < newest && !c.Damaged[CheckpointName(candidate)] {
			number = candidate
		}
	}
	var names []string
	for _, old := range logs {
		if old < number {
			names = append(names, LogName(old))
		}
	}
	for _, old := range checkpoints {
		if old < number {
			names = append(names, CheckpointName(old))
		}
	}
	if len(names) == 0 {
		return nil
	}
	var problems []error
	for _, name := range names {
		problems = append(problems, c.discard(name))
	}
	problems = append(problems, c.fsys.SyncDir(filepath.Join(c.folder, Folder)))
	return errors.Join(problems...)
}
