package catalog

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/segment"
)

// nesting says which fields of a value hold fields of their own.
type nesting map[uint64]nesting

// nestings gives the nesting of every kind of operation.
func nestings() map[OperationKind]nesting {
	return map[OperationKind]nesting{
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
		operationPutGiven:       {ownerGiven: {}},
		operationPutKeptGiven:   {ownerGiven: {}},
		operationPutSearch:      {},
		operationRemoveSearch:   {},
	}
}

// everyOperation gives operations of every kind: they make things, and remove some.
func everyOperation(tb testing.TB) []byte {
	tb.Helper()
	t := Begin(&State{}, NewLookup(), 1)
	var payload []byte
	flush := func() {
		payload = append(payload, t.Operations()...)
		t = Begin(t.Finish(), t.lookup, t.Sequence+1)
	}
	location := Location{Vectors: segment.Extent{Segment: 1, Offset: 40, Length: 100}, Tokens: segment.Extent{Segment: 2, Offset: 40, Length: 100}, Sequence: 1}
	latitude, longitude, rating, offset := 1.5, 2.5, 3, time.Hour
	given := &index.Given{
		Rating: &rating, Favourite: true, Title: "x", Date: indextest.Time, Hidden: true, Collections: []string{"a", "b"}, Trashed: indextest.Time,
		Description: "y", People: []string{"Ada"},
	}
	for number := range uint64(4) {
		record := indextest.Image(tb, number, indextest.Small).Record
		record.ID, record.ExternalID, record.Fields = index.ID(number+1), record.Path(), map[string]string{"price": "3"}
		record.Metadata.Latitude, record.Metadata.Longitude = &latitude, &longitude
		record.Metadata.Rating, record.Metadata.TakenOffset = &rating, &offset
		record.Damage, record.MetadataVersion = "cut short", 2
		record.OCR = &index.OCR{Model: "m", Lines: []index.OCRLine{{Text: "Gate 9", Score: 0.5, Corners: [4]index.Pixel{{X: 1, Y: 2}, {X: 300}}}}}
		t.PutRecord(&record)
		t.PutGiven(record.ID, given)
		t.PutSpace(&Space{Number: number + 1, Space: indextest.Small, Added: indextest.Time})
		t.PutLocation(1, index.ID(number+1), location)
		t.PutFailure(index.Failure{File: indextest.File(number), Reason: "x", Hash: index.Hash{1}, Time: indextest.Time, Replaced: index.Hash{2}})
		t.PutKept(index.Kept{Hash: index.Hash{byte(number + 1)}, Tags: []string{"a"}, Added: indextest.Time, Path: "/a", Lost: indextest.Time, Given: given})
		t.PutSearch(index.SavedSearch{Name: record.Path(), Query: "q=cat", Saved: indextest.Time})
	}
	t.PutNextID(9, 9)
	flush()
	t.RemoveRecord(2)
	t.RemoveFailure(indextest.File(2).Path)
	t.RemoveSpace(2)
	t.RemoveLocation(1, 3)
	t.RemoveKept(index.Hash{2})
	t.RemoveSearch(indextest.File(2).Path)
	flush()
	return payload
}

// withUnknown gives the operations with a field more in every value: before its own
// fields, or after them.
func withUnknown(tb testing.TB, payload []byte, before bool, extra func(*encoder)) (widened []byte, kinds map[OperationKind]bool) {
	tb.Helper()
	var widen func(body []byte, nested nesting) []byte
	widen = func(body []byte, nested nesting) []byte {
		var e encoder
		if before {
			extra(&e)
		}
		indextest.Must(tb, fields(string(body), func(tag uint64, value field) error {
			content := []byte(value)
			if inner, has := nested[tag]; has {
				content = widen([]byte(value), inner)
			}
			e.nested(tag, func(e *encoder) { e.buffer = content })
			return nil
		}))
		if !before {
			extra(&e)
		}
		return e.buffer
	}
	kinds = map[OperationKind]bool{}
	indextest.Must(tb, Operations(string(payload), func(kind OperationKind, body string) error {
		kinds[kind] = true
		nested, known := nestings()[kind]
		if !known {
			tb.Fatalf("operation %d: which of its fields are nested?", kind)
		}
		widened = appendOperation(widened, kind, func(e *encoder) { e.buffer = widen([]byte(body), nested) })
		return nil
	}))
	return widened, kinds
}

// replayed gives the state after the operations, as a checkpoint writes it.
func replayed(tb testing.TB, payload []byte) []byte {
	tb.Helper()
	t := Begin(&State{}, NewLookup(), 1)
	t.Replaying = true
	indextest.Must(tb, Operations(string(payload), t.replay))
	var dumped bytes.Buffer
	indextest.Must(tb, dump(context.Background(), t.Finish(), func(frame []byte) error {
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
			"nothing": {}, "a number": {4}, "a path": []byte(indextest.File(3).Path), "a hash": hash[:], "no number": bytes.Repeat([]byte{255}, 20),
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
	for kind := OperationKind(0); kind < 100; kind++ {
		replaying := Begin(&State{}, NewLookup(), 1)
		_, tried := nestings()[kind]
		if known := !errors.Is(replaying.replay(kind, ""), index.ErrVersion); known != tried {
			t.Errorf("operation %d: replayed %v, tried %v", kind, known, tried)
		}
	}
}

// TestRemovalsNeedTheirField: a removal that does not say of what removes nothing.
func TestRemovalsNeedTheirField(t *testing.T) {
	for _, kind := range []OperationKind{operationRemoveRecord, operationRemoveSpace, operationRemoveLocation, operationRemoveKept, operationPutGiven, operationPutKeptGiven, operationRemoveSearch} {
		replaying := Begin(&State{}, NewLookup(), 1)
		if err := replaying.replay(kind, ""); err == nil {
			t.Errorf("operation %d without a field is no error", kind)
		}
	}
}
