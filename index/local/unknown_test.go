package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"mekiki/index"
	"mekiki/index/internal/journal"
	"mekiki/internal/vfs"
	"path/filepath"
	"testing"
	"time"
)

// nesting says which fields of a value hold fields of their own.
type nesting map[uint64]nesting

// nestings gives the nesting of every kind of operation.
func nestings() map[operationKind]nesting {
	return map[operationKind]nesting{
		operationPutRecord:      {recordFile: {}, recordMetadata: {}, recordCaption: {}, recordField: {}},
		operationRemoveRecord:   {},
		operationPutFailure:     {failureFile: {}},
		operationRemoveFailure:  {},
		operationPutSpace:       {},
		operationRemoveSpace:    {},
		operationPutLocation:    {locationVectors: {}, locationTokens: {}},
		operationRemoveLocation: {},
		operationNextID:         {},
		operationPutKept:        {},
		operationRemoveKept:     {},
	}
}

// everyOperation gives operations of every kind: they make things, and remove some.
func everyOperation(tb testing.TB) []byte {
	tb.Helper()
	t := newTransaction(&state{}, newLookup(), 1)
	var payload []byte
	flush := func() {
		payload = append(payload, t.operations()...)
		t = newTransaction(t.finish(), t.lookup, t.sequence+1)
	}
	location := location{vectors: extent{1, 40, 100}, tokens: extent{2, 40, 100}, sequence: 1}
	latitude, longitude, rating, offset := 1.5, 2.5, 3, time.Hour
	for number := range uint64(4) {
		record := testPut(tb, number, small).Record
		record.ID, record.ExternalID, record.Fields = index.ID(number+1), record.Path(), map[string]string{"price": "3"}
		record.Metadata.Latitude, record.Metadata.Longitude = &latitude, &longitude
		record.Metadata.Rating, record.Metadata.TakenOffset = &rating, &offset
		record.Damage, record.MetadataVersion = "cut short", 2
		t.putRecord(&record)
		t.putSpace(&space{number: number + 1, space: small, added: testTime})
		t.putLocation(1, index.ID(number+1), location)
		t.putFailure(index.Failure{File: testFile(number), Reason: "x", Hash: index.Hash{1}, Time: testTime, Replaced: index.Hash{2}})
		t.putKept(index.Kept{Hash: index.Hash{byte(number + 1)}, Tags: []string{"a"}, Added: testTime, Path: "/a", Lost: testTime})
	}
	t.putNextID(9, 9)
	flush()
	t.removeRecord(2)
	t.removeFailure(testFile(2).Path)
	t.removeSpace(2)
	t.removeLocation(1, 3)
	t.removeKept(index.Hash{2})
	flush()
	return payload
}

// withUnknown gives the operations with a field more in every value: before its own
// fields, or after them.
func withUnknown(tb testing.TB, payload []byte, before bool, extra func(*encoder)) (widened []byte, kinds map[operationKind]bool) {
	tb.Helper()
	var widen func(body []byte, nested nesting) []byte
	widen = func(body []byte, nested nesting) []byte {
		var e encoder
		if before {
			extra(&e)
		}
		mustDo(tb, fields(body, func(tag uint64, value field) error {
			content := []byte(value)
			if inner, has := nested[tag]; has {
				content = widen(value, inner)
			}
			e.nested(tag, func(e *encoder) { e.buffer = content })
			return nil
		}))
		if !before {
			extra(&e)
		}
		return e.buffer
	}
	kinds = map[operationKind]bool{}
	mustDo(tb, operations(payload, func(kind operationKind, body []byte) error {
		kinds[kind] = true
		nested, known := nestings()[kind]
		if !known {
			tb.Fatalf("operation %d: which of its fields are nested?", kind)
		}
		widened = appendOperation(widened, kind, func(e *encoder) { e.buffer = widen(body, nested) })
		return nil
	}))
	return widened, kinds
}

// replayed gives the state after the operations, as a checkpoint writes it.
func replayed(tb testing.TB, payload []byte) []byte {
	tb.Helper()
	t := newTransaction(&state{}, newLookup(), 1)
	t.replaying = true
	mustDo(tb, operations(payload, t.replay))
	var dumped bytes.Buffer
	mustDo(tb, dump(context.Background(), t.finish(), func(frame []byte) error {
		dumped.Write(frame)
		return nil
	}))
	return dumped.Bytes()
}

// TestUnknownFieldsAreIgnored: a field that a later version adds, whatever is in it,
// changes nothing of what this version reads, in any operation and any value in one.
func TestUnknownFieldsAreIgnored(t *testing.T) {
	payload := everyOperation(t)
	want := replayed(t, payload)
	hash := index.Hash{4}
	for _, tag := range []uint64{0, 60, 127, 128, 1 << 40} {
		for name, value := range map[string][]byte{
			"nothing": {}, "a number": {4}, "a path": []byte(testFile(3).Path), "a hash": hash[:], "no number": bytes.Repeat([]byte{255}, 20),
		} {
			for _, before := range []bool{true, false} {
				extra := func(e *encoder) { e.nested(tag, func(e *encoder) { e.buffer = value }) }
				widened, kinds := withUnknown(t, payload, before, extra)
				if len(kinds) != len(nestings()) {
					t.Fatalf("%d kinds of %d", len(kinds), len(nestings()))
				}
				if !bytes.Equal(replayed(t, widened), want) {
					t.Errorf("field %d with %s, before the others: %v, changes what is read", tag, name, before)
				}
			}
		}
	}
}

// TestEveryKindIsTried: the tests of operations know every kind that is replayed.
func TestEveryKindIsTried(t *testing.T) {
	for kind := operationKind(0); kind < 100; kind++ {
		replaying := newTransaction(&state{}, newLookup(), 1)
		_, tried := nestings()[kind]
		if known := !errors.Is(replaying.replay(kind, nil), index.ErrVersion); known != tried {
			t.Errorf("operation %d: replayed %v, tried %v", kind, known, tried)
		}
	}
}

// TestRemovalsNeedTheirField: a removal that does not say of what removes nothing.
func TestRemovalsNeedTheirField(t *testing.T) {
	for _, kind := range []operationKind{operationRemoveRecord, operationRemoveSpace, operationRemoveLocation, operationRemoveKept} {
		replaying := newTransaction(&state{}, newLookup(), 1)
		if err := replaying.replay(kind, nil); err == nil {
			t.Errorf("operation %d without a field is no error", kind)
		}
	}
}

// TestUnknownKindsAreRefused: a library with an operation that this version does not
// know is opened by nobody, in a log or in a checkpoint, and a reader that meets one
// stays where it is. Nothing is cut off or put aside.
func TestUnknownKindsAreRefused(t *testing.T) {
	unknown := binary.AppendUvarint(nil, 77)
	unknown = append(unknown, 2, 1, 0)
	t.Run("log", func(t *testing.T) {
		files := vfs.NewMemory()
		writer := openMemory(t, files)
		fill(t, writer, 3)
		reader := openTest(t, "/library", Options{FileSystem: files, ReadOnly: true})
		before := reader.Snapshot()
		defer before.Close()
		mustDo(t, writer.catalog.commit(before.Sequence()+1, unknown))
		if _, err := reader.Refresh(t.Context()); !errors.Is(err, index.ErrVersion) {
			t.Errorf("refresh: %v", err)
		}
		after := reader.Snapshot()
		defer after.Close()
		if after.Sequence() != before.Sequence() || after.Count(0) != 3 {
			t.Errorf("commit %d with %d records", after.Sequence(), after.Count(0))
		}
		mustDo(t, writer.Close())
		checkRefused(t, files)
	})
	t.Run("checkpoint", func(t *testing.T) {
		files := vfs.NewMemory()
		mustDo(t, openMemory(t, files).Close())
		name := filepath.Join("/library", checkpointName(2))
		header := journal.Header{Kind: journal.Checkpoint, Number: 2}
		file, err := journal.Create(files, name, header)
		mustDo(t, err)
		mustDo(t, file.Append(journal.Frame{Kind: journal.Data, Sequence: 1, Payload: unknown}))
		mustDo(t, file.Append(journal.Frame{Kind: journal.Seal, Sequence: 1}))
		mustDo(t, file.Close())
		checkRefused(t, files)
	})
}

func checkRefused(t *testing.T, files vfs.FS) {
	t.Helper()
	for _, readOnly := range []bool{false, true} {
		library, err := Open(t.Context(), "/library", Options{FileSystem: files, ReadOnly: readOnly})
		if !errors.Is(err, index.ErrVersion) {
			t.Errorf("for reading only %v: %v", readOnly, err)
		}
		if err == nil {
			mustDo(t, library.Close())
		}
	}
	if _, err := files.Stat(filepath.Join("/library", quarantineFolder)); err == nil {
		t.Error("something was put aside")
	}
}
