package local

import (
	"fmt"
	"maps"
	"mekiki/index"
	"slices"
)

// transaction changes a state step by step into the next one, and collects the
// operations that do the same to it when they are replayed. It is for one
// goroutine.
type transaction struct {
	base     *state
	lookup   *lookup
	keys     keys
	sequence uint64
	nextID   index.ID
	segment  uint64
	records  *tableEdit[*index.Record]
	counts   [3]int
	spaces   []*spaceEdit
	failures map[string]index.Failure
	ownsMap  bool
	kept     map[index.Hash]index.Kept
	ownsKept bool

	// written are the records to be logged, each once and as it is in the end;
	// payload holds the other operations. Replaying says not to collect either.
	written   map[index.ID]bool
	payload   []byte
	replaying bool
	// touched are the records that were written or removed; moved those whose
	// vectors were set or removed, by space number.
	touched map[index.ID]bool
	moved   map[uint64]map[index.ID]bool
}

type spaceEdit struct {
	space
	edit *tableEdit[location]
}

func newTransaction(base *state, lookup *lookup, sequence uint64) *transaction {
	t := &transaction{
		base: base, lookup: lookup, keys: newKeys(), sequence: sequence,
		nextID: base.nextID, segment: base.nextSegment, counts: base.counts,
		records: editTable(base.records), failures: base.failures, kept: base.kept,
		written: map[index.ID]bool{}, touched: map[index.ID]bool{}, moved: map[uint64]map[index.ID]bool{},
	}
	for _, s := range base.spaces {
		t.spaces = append(t.spaces, &spaceEdit{space: *s, edit: editTable(s.locations)})
	}
	return t
}

// loading makes a new transaction change the lookup itself, whose only user it is,
// and not note what changes, which nobody asks of a state that is being read.
func (t *transaction) loading() {
	t.replaying = true
	t.keys = keys{paths: t.lookup.paths.ids, hashes: t.lookup.hashes.ids, externals: t.lookup.externals.ids}
	t.touched, t.moved = nil, nil
}

// finish gives the new state.
func (t *transaction) finish() *state {
	next := &state{
		sequence: t.sequence, nextID: t.nextID, nextSegment: t.segment,
		records: t.records.table, counts: t.counts, failures: t.failures, kept: t.kept,
	}
	for _, s := range t.spaces {
		finished := s.space
		finished.locations = s.edit.table
		next.spaces = append(next.spaces, &finished)
	}
	return next
}

// empty reports whether nothing was changed.
func (t *transaction) empty() bool { return len(t.payload) == 0 && len(t.written) == 0 }

// operations gives what was changed. The records come first: they must be there
// before they can be removed.
func (t *transaction) operations() []byte {
	var all []byte
	for _, id := range slices.Sorted(maps.Keys(t.written)) {
		record, _ := t.record(id)
		all = appendOperation(all, operationPutRecord, func(e *encoder) { encodeRecord(e, record) })
	}
	return append(all, t.payload...)
}

func (t *transaction) log(kind operationKind, fill func(*encoder)) {
	if !t.replaying {
		t.payload = appendOperation(t.payload, kind, fill)
	}
}

func (t *transaction) record(id index.ID) (*index.Record, bool) { return t.records.table.get(id) }

func (t *transaction) idOfPath(path string) index.ID {
	if id, changed := t.keys.paths[path]; changed {
		return id
	}
	return t.lookup.paths.now(path)
}

func (t *transaction) idOfHash(hash index.Hash) index.ID {
	if id, changed := t.keys.hashes[hash]; changed {
		return id
	}
	return t.lookup.hashes.now(hash)
}

func (t *transaction) idOfExternal(external string) index.ID {
	if id, changed := t.keys.externals[external]; changed {
		return id
	}
	return t.lookup.externals.now(external)
}

// newID takes the next ID.
func (t *transaction) newID() index.ID {
	t.nextID++
	return t.nextID
}

// putRecord writes a record, which the transaction then owns.
func (t *transaction) putRecord(r *index.Record) {
	if !t.replaying {
		r.Sequence = t.sequence
	}
	t.nextID = max(t.nextID, r.ID)
	same := 0 // leading files that it had and has
	if old, there := t.record(r.ID); there {
		for same < min(len(old.Files), len(r.Files)) && old.Files[same].Path == r.Files[same].Path {
			same++
		}
		t.counts[old.Kind]--
		t.forget(old, same)
	}
	t.counts[r.Kind]++
	t.records.set(r.ID, r)
	t.keys.hashes[r.Hash] = r.ID
	for _, file := range r.Files[same:] {
		t.keys.paths[file.Path] = r.ID
	}
	if r.ExternalID != "" {
		t.keys.externals[r.ExternalID] = r.ID
	}
	t.touch(r.ID)
	if !t.replaying {
		t.written[r.ID] = true
	}
}

// forget takes a record's keys away where they are still its own, but those of its
// first files.
func (t *transaction) forget(r *index.Record, files int) {
	if t.idOfHash(r.Hash) == r.ID {
		t.keys.hashes[r.Hash] = 0
	}
	for _, file := range r.Files[files:] {
		if t.idOfPath(file.Path) == r.ID {
			t.keys.paths[file.Path] = 0
		}
	}
	if r.ExternalID != "" && t.idOfExternal(r.ExternalID) == r.ID {
		t.keys.externals[r.ExternalID] = 0
	}
}

// removeRecord removes a record and its vectors in every space.
func (t *transaction) removeRecord(id index.ID) {
	old, there := t.record(id)
	if !there {
		return
	}
	if t.written[id] && id > t.base.nextID {
		// It must have been there to take its vectors and its ID with it.
		t.log(operationPutRecord, func(e *encoder) { encodeRecord(e, old) })
	}
	delete(t.written, id)
	t.counts[old.Kind]--
	t.forget(old, 0)
	t.records.remove(id)
	for _, s := range t.spaces {
		if s.edit.table.has(id) {
			s.edit.remove(id)
			t.markMoved(s.number, id)
		}
	}
	t.touch(id)
	t.log(operationRemoveRecord, func(e *encoder) { e.uint(recordID, uint64(id)) })
}

func (t *transaction) ownFailures() {
	if !t.ownsMap {
		t.failures = maps.Clone(t.failures)
		if t.failures == nil {
			t.failures = map[string]index.Failure{}
		}
		t.ownsMap = true
	}
}

func (t *transaction) putFailure(f index.Failure) {
	t.ownFailures()
	t.failures[f.File.Path] = f
	t.log(operationPutFailure, func(e *encoder) { encodeFailure(e, &f) })
}

func (t *transaction) removeFailure(path string) {
	if _, there := t.failures[path]; !there {
		return
	}
	t.ownFailures()
	delete(t.failures, path)
	t.log(operationRemoveFailure, func(e *encoder) { e.text(filePath, path) })
}

func (t *transaction) spaceNumbered(number uint64) *spaceEdit {
	for _, s := range t.spaces {
		if s.number == number {
			return s
		}
	}
	return nil
}

// putSpace adds a space, or changes the rank of one that is there.
func (t *transaction) putSpace(s *space) {
	t.log(operationPutSpace, func(e *encoder) { encodeSpace(e, s) })
	if old := t.spaceNumbered(s.number); old != nil {
		old.rank = s.rank
		return
	}
	t.spaces = append(t.spaces, &spaceEdit{space: *s, edit: editTable(table[location]{})})
}

func (t *transaction) removeSpace(number uint64) {
	t.log(operationRemoveSpace, func(e *encoder) { e.uint(spaceNumber, number) })
	t.spaces = slices.DeleteFunc(t.spaces, func(s *spaceEdit) bool { return s.number == number })
	delete(t.moved, number)
}

func (t *transaction) touch(id index.ID) {
	if t.touched != nil {
		t.touched[id] = true
	}
}

func (t *transaction) markMoved(space uint64, id index.ID) {
	if t.moved == nil {
		return
	}
	if t.moved[space] == nil {
		t.moved[space] = map[index.ID]bool{}
	}
	t.moved[space][id] = true
}

// putLocation says where a record's blocks are. A location whose vectors stay
// the same, as compaction writes it, keeps its sequence.
func (t *transaction) putLocation(number uint64, id index.ID, l location) {
	s := t.spaceNumbered(number)
	if s == nil {
		return
	}
	t.segment = max(t.segment, l.vectors.segment, l.tokens.segment)
	s.edit.set(id, l)
	t.markMoved(number, id)
	t.log(operationPutLocation, func(e *encoder) { encodeLocation(e, number, id, l) })
}

func (t *transaction) removeLocation(number uint64, id index.ID) {
	s := t.spaceNumbered(number)
	if s == nil || !s.edit.table.has(id) {
		return
	}
	s.edit.remove(id)
	t.markMoved(number, id)
	t.log(operationRemoveLocation, func(e *encoder) { encodeLocation(e, number, id, location{}) })
}

// putNextID keeps IDs and segment numbers from being used again after the
// records and segments that had them are gone.
func (t *transaction) putNextID(next index.ID, segment uint64) {
	t.nextID = max(t.nextID, next)
	t.segment = max(t.segment, segment)
	t.log(operationNextID, func(e *encoder) {
		e.uint(nextRecord, uint64(t.nextID))
		e.uint(nextSegment, t.segment)
	})
}

const (
	nextRecord = iota + 1
	nextSegment
)

// replay applies one logged operation. The error is [index.ErrVersion] for a kind that this
// version does not know: to go on without it would be to misread all that follows.
func (t *transaction) replay(kind operationKind, body []byte) error {
	switch kind {
	case operationPutRecord:
		record, err := decodeRecord(body)
		if err == nil && (!t.mayBe(record.ID) || record.Kind != index.KindImage && record.Kind != index.KindText) {
			err = errShort
		}
		if err != nil {
			return err
		}
		t.putRecord(record)
	case operationRemoveRecord:
		id, err := numberIn(body, recordID)
		if err != nil {
			return err
		}
		t.removeRecord(index.ID(id))
	case operationPutFailure:
		failure, err := decodeFailure(body)
		if err != nil {
			return err
		}
		t.putFailure(failure)
	case operationRemoveFailure:
		failed, err := decodeFile(body)
		if err != nil {
			return err
		}
		t.removeFailure(failed.Path)
	case operationPutSpace:
		space, err := decodeSpace(body)
		if err != nil {
			return err
		}
		t.putSpace(space)
	case operationRemoveSpace:
		number, err := numberIn(body, spaceNumber)
		if err != nil {
			return err
		}
		t.removeSpace(number)
	case operationPutLocation, operationRemoveLocation:
		number, id, location, err := decodeLocation(body)
		if err != nil || !t.mayBe(id) {
			return errShort
		}
		if kind == operationPutLocation {
			t.putLocation(number, id, location)
		} else {
			t.removeLocation(number, id)
		}
	case operationNextID:
		return t.replayNextID(body)
	case operationPutKept:
		kept, err := decodeKept(body)
		if err != nil {
			return err
		}
		t.putKept(kept)
	case operationRemoveKept:
		kept, err := decodeKept(body)
		if err != nil {
			return err
		}
		t.removeKept(kept.Hash)
	default:
		return fmt.Errorf("%w: operation of kind %d", index.ErrVersion, kind)
	}
	return nil
}

// numberIn gives the number in one field of a body. A body without it makes no sense.
func numberIn(body []byte, wanted uint64) (number uint64, err error) {
	err = fields(body, func(tag uint64, value field) error {
		if tag != wanted {
			return nil
		}
		return value.uint(&number)
	})
	if err == nil && number == 0 {
		err = errShort
	}
	return number, err
}

// maxIDGap bounds how far an ID may lie beyond those known, and maximumID how far
// at all: IDs index tables, so a wrong one must not ask for the memory of all
// between. A record added in every second of 68 years comes to the maximum.
const (
	maxIDGap  = 1 << 24
	maximumID = 1<<31 - 1
)

// mayBe reports whether an ID is one that a record may have.
func (t *transaction) mayBe(id index.ID) bool {
	return id > 0 && id <= maximumID && id <= t.nextID+maxIDGap
}

func (t *transaction) replayNextID(body []byte) error {
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
	if err == nil && record > maximumID {
		err = errShort
	}
	if err != nil {
		return err
	}
	t.nextID, t.segment = max(t.nextID, index.ID(record)), max(t.segment, segment)
	return nil
}
