package language

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// pieceKind says what a piece of a SentencePiece model is.
type pieceKind int

const (
	normalPiece  pieceKind = 1
	controlPiece pieceKind = 3
	userPiece    pieceKind = 4
)

// sentencePiece is what a SentencePiece model says, of the message ModelProto of
// sentencepiece_model.proto.
type sentencePiece struct {
	pieces   []sentencePieceEntry
	kind     modelKind
	unknown  int
	charsmap []byte
}

type sentencePieceEntry struct {
	text  string
	score float32
	kind  pieceKind
}

type modelKind int

const (
	unigramKind  modelKind = 1
	bytePairKind modelKind = 2
)

// readSentencePiece reads a spiece.model or a tokenizer.model.
func readSentencePiece(content []byte) (*sentencePiece, error) {
	m := &sentencePiece{kind: unigramKind}
	err := eachField(content, func(number protowire.Number, value field) error {
		switch number {
		case 1:
			return m.addPiece(value.bytes)
		case 2:
			return m.readTrainer(value.bytes)
		case 3:
			return m.readNormalizer(value.bytes)
		}
		return nil
	})
	if err == nil && len(m.pieces) == 0 {
		err = errors.New("it has no pieces")
	}
	if err != nil {
		return nil, fmt.Errorf("it is not a SentencePiece model: %w", err)
	}
	return m, nil
}

// addPiece reads a message SentencePiece.
func (m *sentencePiece) addPiece(message []byte) error {
	if len(m.pieces) >= maximumTokens {
		return fmt.Errorf("more than %d pieces", maximumTokens)
	}
	piece := sentencePieceEntry{kind: normalPiece}
	err := eachField(message, func(number protowire.Number, value field) error {
		switch number {
		case 1:
			piece.text = string(value.bytes)
		case 2:
			piece.score = math.Float32frombits(uint32(value.number))
		case 3:
			piece.kind = pieceKind(value.number)
		}
		return nil
	})
	if len(piece.text) > maximumTokenBytes {
		return fmt.Errorf("piece %d has %d bytes", len(m.pieces), len(piece.text))
	}
	m.pieces = append(m.pieces, piece)
	return err
}

// readTrainer reads a message TrainerSpec.
func (m *sentencePiece) readTrainer(message []byte) error {
	return eachField(message, func(number protowire.Number, value field) error {
		switch number {
		case 3:
			m.kind = modelKind(value.number)
		case 40:
			m.unknown = int(int32(value.number))
		}
		return nil
	})
}

// readNormalizer reads a message NormalizerSpec.
func (m *sentencePiece) readNormalizer(message []byte) error {
	return eachField(message, func(number protowire.Number, value field) error {
		if number == 2 {
			m.charsmap = value.bytes
		}
		return nil
	})
}

// field is a field of a message: a number, or bytes.
type field struct {
	number uint64
	bytes  []byte
}

// eachField passes on the fields of a message.
func eachField(message []byte, yield func(protowire.Number, field) error) error {
	for len(message) > 0 {
		number, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return protowire.ParseError(length)
		}
		message = message[length:]
		var value field
		switch kind {
		case protowire.VarintType:
			value.number, length = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var bits uint32
			bits, length = protowire.ConsumeFixed32(message)
			value.number = uint64(bits)
		case protowire.BytesType:
			value.bytes, length = protowire.ConsumeBytes(message)
		default:
			length = protowire.ConsumeFieldValue(number, kind, message)
		}
		if length < 0 {
			return protowire.ParseError(length)
		}
		message = message[length:]
		if err := yield(number, value); err != nil {
			return err
		}
	}
	return nil
}
