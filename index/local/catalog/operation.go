package catalog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local/segment"
)

// OperationKind says what an operation of the catalog does. Operations carry
// the whole new value, never a difference, so that a lost one costs its own
// record and nothing else.
type OperationKind uint64

const (
	operationPutRecord OperationKind = iota + 1
	operationRemoveRecord
	operationPutFailure
	operationRemoveFailure
	operationPutSpace
	operationRemoveSpace
	operationPutLocation
	operationRemoveLocation
	operationNextID
	operationPutKept
	operationRemoveKept
	operationPutGiven
	operationPutKeptGiven
	operationPutSearch
	operationRemoveSearch
)

const (
	failureFile = iota + 1
	failureReason
	failureHash
	failureTime
	failureReplaced
)

const (
	spaceNumber = iota + 1
	spaceFingerprint
	spaceParts
	spaceWidth
	spaceAdded
	spaceRankTag
)

const (
	locationSpace = iota + 1
	locationRecord
	locationVectors
	locationTokens
	locationSequence
)

const (
	extentSegment = iota + 1
	extentOffset
	extentLength
)

// appendOperation appends one operation: kind, length, body.
func appendOperation(buffer []byte, kind OperationKind, fill func(*encoder)) []byte {
	var body encoder
	fill(&body)
	buffer = binary.AppendUvarint(buffer, uint64(kind))
	buffer = binary.AppendUvarint(buffer, uint64(len(body.buffer)))
	return append(buffer, body.buffer...)
}

func encodeFailure(e *encoder, f *index.Failure) {
	e.nested(failureFile, func(e *encoder) { encodeFile(e, f.File) })
	e.text(failureReason, f.Reason)
	if !f.Hash.IsZero() {
		e.bytes(failureHash, f.Hash[:])
	}
	e.time(failureTime, f.Time)
	if !f.Replaced.IsZero() {
		e.bytes(failureReplaced, f.Replaced[:])
	}
}

func decodeFailure(data string) (index.Failure, error) {
	var f index.Failure
	err := fields(data, func(tag uint64, value field) (err error) {
		switch tag {
		case failureFile:
			f.File, err = decodeFile(string(value))
			return err
		case failureReason:
			return value.text(&f.Reason)
		case failureHash:
			return value.hash(&f.Hash)
		case failureTime:
			return value.time(&f.Time)
		case failureReplaced:
			return value.hash(&f.Replaced)
		}
		return nil
	})
	return f, err
}

func encodeSpace(e *encoder, s *Space) {
	e.uint(spaceNumber, s.Number)
	e.text(spaceFingerprint, s.Space.Fingerprint)
	e.uint(spaceParts, uint64(s.Space.Parts))
	e.uint(spaceWidth, uint64(s.Space.Width))
	e.time(spaceAdded, s.Added)
	e.uint(spaceRankTag, uint64(s.Rank))
}

func decodeSpace(data string) (*Space, error) {
	s := &Space{}
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case spaceNumber:
			return value.uint(&s.Number)
		case spaceFingerprint:
			return value.text(&s.Space.Fingerprint)
		case spaceParts:
			return decodeInto(value, func(v uint64) { s.Space.Parts = int(v) })
		case spaceWidth:
			return decodeInto(value, func(v uint64) { s.Space.Width = int(v) })
		case spaceAdded:
			return value.time(&s.Added)
		case spaceRankTag:
			return value.uint((*uint64)(&s.Rank))
		}
		return nil
	})
	return s, errors.Join(err, CheckSpace(s.Space))
}

// CheckSpace holds a space's numbers to what memory can be asked for.
func CheckSpace(s embed.Space) error {
	if s.Fingerprint == "" || s.Parts < 1 || s.Parts > 4096 || s.Width < 1 || s.Width > 65536 || s.Parts*s.Width > 8<<20 {
		return fmt.Errorf("%w: %d parts of %d, fingerprint %q", index.ErrSpace, s.Parts, s.Width, s.Fingerprint)
	}
	return nil
}

func encodeExtent(e *encoder, x segment.Extent) {
	e.uint(extentSegment, x.Segment)
	e.int(extentOffset, x.Offset)
	e.int(extentLength, x.Length)
}

func decodeExtent(data string) (segment.Extent, error) {
	var x segment.Extent
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case extentSegment:
			return value.uint(&x.Segment)
		case extentOffset:
			return value.int(&x.Offset)
		case extentLength:
			return value.int(&x.Length)
		}
		return nil
	})
	if err == nil && (x.Offset < 0 || x.Length < 0) {
		err = ErrShort
	}
	return x, err
}

func encodeLocation(e *encoder, space uint64, id index.ID, l Location) {
	e.uint(locationSpace, space)
	e.uint(locationRecord, uint64(id))
	if l.Vectors.Length > 0 {
		e.nested(locationVectors, func(e *encoder) { encodeExtent(e, l.Vectors) })
	}
	if l.Tokens.Length > 0 {
		e.nested(locationTokens, func(e *encoder) { encodeExtent(e, l.Tokens) })
	}
	e.uint(locationSequence, l.Sequence)
}

func decodeLocation(data string) (space uint64, id index.ID, l Location, err error) {
	err = fields(data, func(tag uint64, value field) (err error) {
		switch tag {
		case locationSpace:
			return value.uint(&space)
		case locationRecord:
			return value.uint((*uint64)(&id))
		case locationVectors:
			l.Vectors, err = decodeExtent(string(value))
			return err
		case locationTokens:
			l.Tokens, err = decodeExtent(string(value))
			return err
		case locationSequence:
			return value.uint(&l.Sequence)
		}
		return nil
	})
	return space, id, l, err
}

// Operations gives each operation of a frame's payload to visit.
func Operations(payload string, visit func(OperationKind, string) error) error {
	return entries(payload, func(kind uint64, body string) error { return visit(OperationKind(kind), body) })
}
