package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"mekiki/embed"
	"mekiki/index"
)

// operationKind says what an operation of the catalog does. Operations carry
// the whole new value, never a difference, so that a lost one costs its own
// record and nothing else.
type operationKind uint64

const (
	operationPutRecord operationKind = iota + 1
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
func appendOperation(buffer []byte, kind operationKind, fill func(*encoder)) []byte {
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

func decodeFailure(data []byte) (index.Failure, error) {
	var f index.Failure
	err := fields(data, func(tag uint64, value field) (err error) {
		switch tag {
		case failureFile:
			f.File, err = decodeFile(value)
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

func encodeSpace(e *encoder, s *space) {
	e.uint(spaceNumber, s.number)
	e.text(spaceFingerprint, s.space.Fingerprint)
	e.uint(spaceParts, uint64(s.space.Parts))
	e.uint(spaceWidth, uint64(s.space.Width))
	e.time(spaceAdded, s.added)
	e.uint(spaceRankTag, uint64(s.rank))
}

func decodeSpace(data []byte) (*space, error) {
	s := &space{}
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case spaceNumber:
			return value.uint(&s.number)
		case spaceFingerprint:
			return value.text(&s.space.Fingerprint)
		case spaceParts:
			return decodeInto(value, func(v uint64) { s.space.Parts = int(v) })
		case spaceWidth:
			return decodeInto(value, func(v uint64) { s.space.Width = int(v) })
		case spaceAdded:
			return value.time(&s.added)
		case spaceRankTag:
			return value.uint((*uint64)(&s.rank))
		}
		return nil
	})
	return s, errors.Join(err, checkSpace(s.space))
}

// checkSpace holds a space's numbers to what memory can be asked for.
func checkSpace(s embed.Space) error {
	if s.Fingerprint == "" || s.Parts < 1 || s.Parts > 4096 || s.Width < 1 || s.Width > 65536 || s.Parts*s.Width > 8<<20 {
		return fmt.Errorf("%w: %d parts of %d, fingerprint %q", index.ErrSpace, s.Parts, s.Width, s.Fingerprint)
	}
	return nil
}

func encodeExtent(e *encoder, x extent) {
	e.uint(extentSegment, x.segment)
	e.int(extentOffset, x.offset)
	e.int(extentLength, x.length)
}

func decodeExtent(data []byte) (extent, error) {
	var x extent
	err := fields(data, func(tag uint64, value field) error {
		switch tag {
		case extentSegment:
			return value.uint(&x.segment)
		case extentOffset:
			return value.int(&x.offset)
		case extentLength:
			return value.int(&x.length)
		}
		return nil
	})
	if err == nil && (x.offset < 0 || x.length < 0) {
		err = errShort
	}
	return x, err
}

func encodeLocation(e *encoder, space uint64, id index.ID, l location) {
	e.uint(locationSpace, space)
	e.uint(locationRecord, uint64(id))
	if l.vectors.length > 0 {
		e.nested(locationVectors, func(e *encoder) { encodeExtent(e, l.vectors) })
	}
	if l.tokens.length > 0 {
		e.nested(locationTokens, func(e *encoder) { encodeExtent(e, l.tokens) })
	}
	e.uint(locationSequence, l.sequence)
}

func decodeLocation(data []byte) (space uint64, id index.ID, l location, err error) {
	err = fields(data, func(tag uint64, value field) (err error) {
		switch tag {
		case locationSpace:
			return value.uint(&space)
		case locationRecord:
			return value.uint((*uint64)(&id))
		case locationVectors:
			l.vectors, err = decodeExtent(value)
			return err
		case locationTokens:
			l.tokens, err = decodeExtent(value)
			return err
		case locationSequence:
			return value.uint(&l.sequence)
		}
		return nil
	})
	return space, id, l, err
}

// operations gives each operation of a frame's payload to visit.
func operations(payload []byte, visit func(operationKind, []byte) error) error {
	for len(payload) > 0 {
		kind, n := binary.Uvarint(payload)
		if n <= 0 {
			return errShort
		}
		payload = payload[n:]
		length, n := binary.Uvarint(payload)
		if n <= 0 || length > uint64(len(payload)-n) {
			return errShort
		}
		body := payload[n : n+int(length)]
		payload = payload[n+int(length):]
		if err := visit(operationKind(kind), body); err != nil {
			return err
		}
	}
	return nil
}
