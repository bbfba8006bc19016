package catalog

import (
	"fmt"
	"maps"
	"slices"

	"mekiki/index"
)

// Transaction changes a state step by step into the next one, and collects the
// operations that do the same to it when they are replayed. It is for one
// goroutine.
type Transaction struct {
	base         *State
	lookup       *Lookup
	Keys         keys
	Sequence     uint64
	NextID       index.ID
	Segment      uint64
	records      *Edit[*index.Record]
	Counts       [3]int
	Withheld     int
	Spaces       []*SpaceEdit
	failures     map[string]index.Failure
	ownsMap      bool
	Kept         map[index.Hash]index.Kept
	ownsKept     bool
	Searches     map[string]index.SavedSearch
	ownsSearches bool

	// written are the records to be logged, each once and as it is in the end;
	// payload holds the other operations. Replaying says not to collect either.
	written   map[index.ID]bool
	given     map[index.ID]bool // those that people gave something else, or took it back
	payload   []byte
	Replaying bool
	// withoutKeys leaves Keys empty.
	withoutKeys bool
	// Touched are the records that were written or removed; Moved those whose
	// vectors were set or removed, by space number.
	Touched map[index.ID]bool
	Moved   map[uint64]map[index.ID]bool
}

// SpaceEdit is a space that is being changed.
type SpaceEdit struct {
	Space
	Edit *Edit[Location]
}

// Begin starts the transaction that makes the state of a commit.
func Begin(base *State, lookup *Lookup, sequence uint64) *Transaction {
	t := &Transaction{
		base: base, lookup: lookup, Keys: newKeys(), Sequence: sequence,
		NextID: base.nextID, Segment: base.NextSegment, Counts: base.Counts, Withheld: base.Withheld, Searches: base.Searches,
		records: EditTable(base.Records), failures: base.Failures, Kept: base.Kept,
		written: map[index.ID]bool{}, given: map[index.ID]bool{}, Touched: map[index.ID]bool{}, Moved: map[uint64]map[index.ID]bool{},
	}
	for _, s := range base.Spaces {
		t.Spaces = append(t.Spaces, &SpaceEdit{Space: *s, Edit: EditTable(s.Locations)})
	}
	return t
}

// loading makes a new transaction note neither keys, which are told from the state in the end ([lookupOf]), nor what
// changes, which nobody asks of a state that is being read.
func (t *Transaction) loading() {
	t.Replaying, t.withoutKeys = true, true
	t.Touched, t.Moved = nil, nil
}

// Finish gives the new state.
func (t *Transaction) Finish() *State {
	next := &State{
		Sequence: t.Sequence, nextID: t.NextID, NextSegment: t.Segment,
		Records: t.records.Table, Counts: t.Counts, Withheld: t.Withheld, Searches: t.Searches, Failures: t.failures, Kept: t.Kept,
	}
	for _, s := range t.Spaces {
		finished := s.Space
		finished.Locations = s.Edit.Table
		next.Spaces = append(next.Spaces, &finished)
	}
	return next
}

// Empty reports whether nothing was changed.
func (t *Transaction) Empty() bool {
	return len(t.payload) == 0 && len(t.written) == 0 && len(t.given) == 0
}

// Operations gives what was changed. The records come first: they must be there
// before they can be removed.
func (t *Transaction) Operations() []byte {
	var all []byte
	for _, id := range slices.Sorted(maps.Keys(t.written)) {
		record, _ := t.Record(id)
		all = appendOperation(all, operationPutRecord, func(e *encoder) { encodeRecord(e, record) })
		if before, there := t.base.Record(id); !there && record.Given != nil || there && !before.Given.Equal(record.Given) {
			t.given[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.given)) {
		record, _ := t.Record(id)
		all = appendGiven(all, record)
	}
	return append(all, t.payload...)
}

func (t *Transaction) log(kind OperationKind, fill func(*encoder)) {
	if !t.Replaying {
		t.payload = appendOperation(t.payload, kind, fill)
	}
}

// Record gives one record; false when there is none.
func (t *Transaction) Record(id index.ID) (*index.Record, bool) { return t.records.Table.Get(id) }

// IDOfPath gives the record that has a file, or zero.
func (t *Transaction) IDOfPath(path string) index.ID {
	if id, changed := t.Keys.paths[path]; changed {
		return id
	}
	return t.lookup.Paths.Now(path)
}

// IDOfHash gives the record of a content, or zero.
func (t *Transaction) IDOfHash(hash index.Hash) index.ID {
	if id, changed := t.Keys.hashes[hash]; changed {
		return id
	}
	return t.lookup.Hashes.Now(hash)
}

// IDOfExternal gives the record with the user's own id, or zero.
func (t *Transaction) IDOfExternal(external string) index.ID {
	if id, changed := t.Keys.externals[external]; changed {
		return id
	}
	return t.lookup.Externals.Now(external)
}

// NewID takes the next ID.
func (t *Transaction) NewID() index.ID {
	t.NextID++
	return t.NextID
}

// PutRecord writes a record, which the transaction then owns. When a log is replayed, it
// keeps what people gave it, of which operations of their own tell.
func (t *Transaction) PutRecord(r *index.Record) {
	if !t.Replaying {
		r.Sequence = t.Sequence
	}
	t.NextID = max(t.NextID, r.ID)
	same := 0 // leading files that it had and has
	if old, there := t.Record(r.ID); there {
		for same < min(len(old.Files), len(r.Files)) && old.Files[same].Path == r.Files[same].Path {
			same++
		}
		t.Counts[old.Kind]--
		t.Withheld -= withheld(old)
		if t.Replaying {
			r.Given = old.Given
		}
		t.forget(old, same)
	}
	t.Counts[r.Kind]++
	t.Withheld += withheld(r)
	t.records.Set(r.ID, r)
	if !t.withoutKeys {
		t.Keys.hashes[r.Hash] = r.ID
		for _, file := range r.Files[same:] {
			t.Keys.paths[file.Path] = r.ID
		}
		if r.ExternalID != "" {
			t.Keys.externals[r.ExternalID] = r.ID
		}
	}
	t.touch(r.ID)
	if !t.Replaying {
		t.written[r.ID] = true
	}
}

// forget takes a record's keys away where they are still its own, but those of its
// first files.
func (t *Transaction) forget(r *index.Record, files int) {
	if t.withoutKeys {
		return
	}
	if t.IDOfHash(r.Hash) == r.ID {
		t.Keys.hashes[r.Hash] = 0
	}
	for _, file := range r.Files[files:] {
		if t.IDOfPath(file.Path) == r.ID {
			t.Keys.paths[file.Path] = 0
		}
	}
	if r.ExternalID != "" && t.IDOfExternal(r.ExternalID) == r.ID {
		t.Keys.externals[r.ExternalID] = 0
	}
}

// RemoveRecord removes a record and its vectors in every space.
func (t *Transaction) RemoveRecord(id index.ID) {
	old, there := t.Record(id)
	if !there {
		return
	}
	if t.written[id] && id > t.base.nextID {
		// It must have been there to take its vectors and its ID with it.
		t.log(operationPutRecord, func(e *encoder) { encodeRecord(e, old) })
	}
	delete(t.written, id)
	delete(t.given, id)
	t.Counts[old.Kind]--
	t.Withheld -= withheld(old)
	t.forget(old, 0)
	t.records.remove(id)
	for _, s := range t.Spaces {
		if s.Edit.Table.Has(id) {
			s.Edit.remove(id)
			t.markMoved(s.Number, id)
		}
	}
	t.touch(id)
	t.log(operationRemoveRecord, func(e *encoder) { e.uint(recordID, uint64(id)) })
}

func (t *Transaction) ownFailures() {
	if !t.ownsMap {
		t.failures = maps.Clone(t.failures)
		if t.failures == nil {
			t.failures = map[string]index.Failure{}
		}
		t.ownsMap = true
	}
}

// PutFailure notes a file that could not be indexed.
func (t *Transaction) PutFailure(f index.Failure) {
	t.ownFailures()
	t.failures[f.File.Path] = f
	t.log(operationPutFailure, func(e *encoder) { encodeFailure(e, &f) })
}

// RemoveFailure forgets the failure of a path.
func (t *Transaction) RemoveFailure(path string) {
	if _, there := t.failures[path]; !there {
		return
	}
	t.ownFailures()
	delete(t.failures, path)
	t.log(operationRemoveFailure, func(e *encoder) { e.text(filePath, path) })
}

// SpaceNumbered gives the space with a number, or nil.
func (t *Transaction) SpaceNumbered(number uint64) *SpaceEdit {
	for _, s := range t.Spaces {
		if s.Number == number {
			return s
		}
	}
	return nil
}

// PutSpace adds a space, or changes the rank of one that is there.
func (t *Transaction) PutSpace(s *Space) {
	t.log(operationPutSpace, func(e *encoder) { encodeSpace(e, s) })
	if old := t.SpaceNumbered(s.Number); old != nil {
		old.Rank = s.Rank
		return
	}
	t.Spaces = append(t.Spaces, &SpaceEdit{Space: *s, Edit: EditTable(Table[Location]{})})
}

// RemoveSpace removes a space and where its vectors are.
func (t *Transaction) RemoveSpace(number uint64) {
	t.log(operationRemoveSpace, func(e *encoder) { e.uint(spaceNumber, number) })
	t.Spaces = slices.DeleteFunc(t.Spaces, func(s *SpaceEdit) bool { return s.Number == number })
	delete(t.Moved, number)
}

func (t *Transaction) touch(id index.ID) {
	if t.Touched != nil {
		t.Touched[id] = true
	}
}

func (t *Transaction) markMoved(space uint64, id index.ID) {
	if t.Moved == nil {
		return
	}
	if t.Moved[space] == nil {
		t.Moved[space] = map[index.ID]bool{}
	}
	t.Moved[space][id] = true
}

// PutLocation says where a record's blocks are. A location whose vectors stay
// the same, as compaction writes it, keeps its sequence.
func (t *Transaction) PutLocation(number uint64, id index.ID, l Location) {
	s := t.SpaceNumbered(number)
	if s == nil {
		return
	}
	t.Segment = max(t.Segment, l.Vectors.Segment, l.Tokens.Segment)
	s.Edit.Set(id, l)
	t.markMoved(number, id)
	t.log(operationPutLocation, func(e *encoder) { encodeLocation(e, number, id, l) })
}

// RemoveLocation removes where a record's vectors are.
func (t *Transaction) RemoveLocation(number uint64, id index.ID) {
	s := t.SpaceNumbered(number)
	if s == nil || !s.Edit.Table.Has(id) {
		return
	}
	s.Edit.remove(id)
	t.markMoved(number, id)
	t.log(operationRemoveLocation, func(e *encoder) { encodeLocation(e, number, id, Location{}) })
}

// PutNextID keeps IDs and segment numbers from being used again after the
// records and segments that had them are gone.
func (t *Transaction) PutNextID(next index.ID, segment uint64) {
	t.NextID = max(t.NextID, next)
	t.Segment = max(t.Segment, segment)
	t.log(operationNextID, func(e *encoder) {
		e.uint(nextRecord, uint64(t.NextID))
		e.uint(nextSegment, t.Segment)
	})
}

const (
	nextRecord = iota + 1
	nextSegment
)

// replay applies one logged operation. The error is [index.ErrVersion] for a kind that this
// version does not know: to go on without it would be to misread all that follows.
func (t *Transaction) replay(kind OperationKind, body string) error {
	switch kind {
	case operationPutRecord:
		var decoder recordDecoder
		record, err := decoder.decode(body, 1)
		return t.replayRecord(decodedRecord{record, err})
	case operationRemoveRecord:
		id, err := numberIn(body, recordID)
		if err != nil {
			return err
		}
		t.RemoveRecord(index.ID(id))
	case operationPutFailure:
		return apply(body, decodeFailure, t.PutFailure)
	case operationRemoveFailure:
		return apply(body, decodeFile, func(failed index.File) { t.RemoveFailure(failed.Path) })
	case operationPutSpace:
		return apply(body, decodeSpace, t.PutSpace)
	case operationRemoveSpace:
		number, err := numberIn(body, spaceNumber)
		if err != nil {
			return err
		}
		t.RemoveSpace(number)
	case operationPutLocation, operationRemoveLocation:
		number, id, location, err := decodeLocation(body)
		if err != nil || !t.mayBe(id) {
			return ErrShort
		}
		if kind == operationPutLocation {
			t.PutLocation(number, id, location)
		} else {
			t.RemoveLocation(number, id)
		}
	case operationNextID:
		return t.replayNextID(body)
	case operationPutKept:
		return apply(body, decodeKept, t.PutKept)
	case operationRemoveKept:
		return apply(body, decodeKept, func(kept index.Kept) { t.RemoveKept(kept.Hash) })
	case operationPutGiven, operationPutKeptGiven:
		return t.replayGiven(kind, body)
	case operationPutSearch, operationRemoveSearch:
		return t.replaySearch(kind, body)
	default:
		return fmt.Errorf("%w: operation of kind %d", index.ErrVersion, kind)
	}
	return nil
}

// apply decodes the body of an operation and does with it what the operation says.
func apply[T any](body string, decode func(string) (T, error), do func(T)) error {
	value, err := decode(body)
	if err != nil {
		return err
	}
	do(value)
	return nil
}

// numberIn gives the number in one field of a body. A body without it makes no sense.
func numberIn(body string, wanted uint64) (number uint64, err error) {
	err = fields(body, func(tag uint64, value field) error {
		if tag != wanted {
			return nil
		}
		return value.uint(&number)
	})
	if err == nil && number == 0 {
		err = ErrShort
	}
	return number, err
}

// mayBe reports whether an ID is one that a record may have.
func (t *Transaction) mayBe(id index.ID) bool {
	return id > 0 && id <= MaximumID && id <= t.NextID+maxIDGap
}

// replayRecord puts a logged record.
func (t *Transaction) replayRecord(decoded decodedRecord) error {
	record, err := decoded.record, decoded.err
	if err == nil && (!t.mayBe(record.ID) || record.Kind != index.KindImage && record.Kind != index.KindText) {
		err = ErrShort
	}
	if err == nil {
		t.PutRecord(record)
	}
	return err
}

func (t *Transaction) replayNextID(body string) error {
	var record, segment uint64
	err := fields(body, func(tag uint64, value field) error {
		switch tag {
		case nextRecord:
			return value.uint(&record)
		case nextSegment:
			return value.uint(&segment)
		}
		return nil
	})
	if err == nil && record > MaximumID {
		err = ErrShort
	}
	if err != nil {
		return err
	}
	t.NextID, t.Segment = max(t.NextID, index.ID(record)), max(t.Segment, segment)
	return nil
}
