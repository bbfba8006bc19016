package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mekiki/index/local/frame"
)

// Source is a file to read a journal from.
type Source interface {
	io.ReaderAt
	Size() (int64, error)
}

// Damage is a stretch of a journal that is not as written.
type Damage struct {
	Offset, Length int64
	Reason         string
}

// Result is how reading a journal went.
type Result struct {
	// HeaderDamaged says that the header is not as written; frames are read
	// all the same, since they say which file they belong to.
	HeaderDamaged bool
	// End is where the last whole frame ends: where to append.
	End int64
	// Size is the length of the file.
	Size int64
	// Frames counts the frames given, seals included.
	Frames int
	// Sealed says that the last whole frame is a seal.
	Sealed bool
	// Torn says that an unfinished frame follows End.
	Torn bool
	// Damages lie before End, and were stepped over.
	Damages []Damage
}

// Read gives every whole frame from offset on (zero for the start) to visit;
// its payload is valid during the call. An error of visit ends the reading and
// is returned. Damage is not an error: the result lists it. Header is what the
// file should begin with; the error is ErrVersion when a newer version wrote it.
func Read(source Source, header Header, offset int64, visit func(Frame) error) (Result, error) {
	size, err := source.Size()
	if err != nil {
		return Result{}, err
	}
	start := make([]byte, min(headerSize, size))
	if _, err := source.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return Result{}, err
	}
	found, err := decodeHeader(start)
	if errors.Is(err, ErrVersion) {
		return Result{Size: size}, err
	}
	reader := &reader{source: source, size: size, number: header.Number}
	result := Result{End: max(offset, headerSize), Size: size, HeaderDamaged: err != nil || found != header}
	for position := result.End; position < size; {
		read, next, err := reader.frame(position)
		if err != nil {
			return result, err
		}
		if next == 0 {
			found, err := reader.resume(position)
			if err != nil {
				return result, err
			}
			if found == 0 {
				result.Torn = true
				return result, nil
			}
			result.Damages = append(result.Damages, Damage{
				Offset: position, Length: found - position,
				Reason: fmt.Sprintf("%d bytes that are not a whole frame", found-position),
			})
			position = found
			continue
		}
		if err := visit(read); err != nil {
			return result, err
		}
		result.Frames++
		result.Sealed = read.Kind == Seal
		result.End, position = next, next
	}
	return result, nil
}

type reader struct {
	source Source
	size   int64
	number uint64
	buffer []byte
}

// frame reads the frame at offset; next is zero when there is no whole one.
func (r *reader) frame(offset int64) (f Frame, next int64, err error) {
	header, payload, state, err := form(r.number).Read(r.source, r.size, offset, &r.buffer)
	if err != nil || state != frame.Whole {
		return Frame{}, 0, err
	}
	f = Frame{Kind: FrameKind(header.Kind), Sequence: header.ID, Payload: payload}
	return f, offset + f.Size(), nil
}

// resume looks for the next whole frame after offset; zero when there is none.
func (r *reader) resume(offset int64) (int64, error) {
	const window = 1 << 20
	magic := binary.LittleEndian.AppendUint32(nil, frameMagic)
	buffer := make([]byte, min(window, r.size))
	for start := offset + 1; start+frameSize <= r.size; {
		chunk := buffer[:min(int64(len(buffer)), r.size-start)]
		if err := frame.ReadFull(r.source, chunk, start); err != nil {
			return 0, err
		}
		for at := 0; ; {
			found := bytes.Index(chunk[at:], magic)
			if found < 0 {
				break
			}
			candidate := start + int64(at+found)
			if _, next, err := r.frame(candidate); err != nil || next != 0 {
				return candidate, err
			}
			at += found + 1
		}
		start += int64(len(chunk)) - int64(len(magic)) + 1
	}
	return 0, nil
}
