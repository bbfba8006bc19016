// Package journal keeps a file of checksummed frames: the form of the catalog's
// operation logs and checkpoints. It knows frames, not what is in them.
//
// A frame is written and synced before the next one begins. So when the last
// frame of a file is not whole, it was never acknowledged: it is a torn tail,
// which recovery cuts off. Bytes that are wrong anywhere before a whole frame
// are damage, which recovery reports, steps over and never deletes.
package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"mekiki/index/local/frame"
)

// Version is the version of the file format that this package writes.
const Version = 1

// HeaderSize is the length of the file header.
const HeaderSize = 32

const (
	headerSize = HeaderSize
	frameSize  = frame.Size
	frameMagic = 0x46494B4D // "MKIF", little-endian
)

// fileMagic begins every journal.
var fileMagic = [8]byte{'M', 'K', 'I', 'J', 'R', 'N', 'L', '\n'}

// Kind tells the uses of a journal apart.
type Kind uint32

const (
	// Log grows by a frame with every commit.
	Log Kind = 1
	// Checkpoint is written once, and is whole only with its seal.
	Checkpoint Kind = 2
)

// Header begins a journal file:
//
//	0  8 magic "MKIJRNL\n"
//	8  4 version
//	12 4 kind
//	16 8 number
//	24 4 reserved, zero
//	28 4 CRC-32C of bytes 0 to 27
//
// All numbers are little-endian.
type Header struct {
	Kind   Kind
	Number uint64
}

// FrameKind tells frames apart.
type FrameKind uint32

const (
	// Data is a frame with operations.
	Data FrameKind = 1
	// Seal ends a checkpoint, and a log that was closed in order. It says that
	// everything before it is all there was.
	Seal FrameKind = 2
)

// Frame is one unit that is either wholly in the file or not at all. In the file it
// has the magic "MKIF", and its sequence as its id.
type Frame struct {
	Kind     FrameKind
	Sequence uint64
	Payload  []byte
}

// Size is the frame's length in the file.
func (f Frame) Size() int64 { return frameSize + int64(len(f.Payload)) }

// Errors of opening a journal; test with errors.Is.
var (
	errHeader = errors.New("damaged journal header")
	// ErrVersion: a newer version wrote the file.
	ErrVersion = errors.New("journal of an unknown version")
)

func encodeHeader(header Header) []byte {
	buffer := make([]byte, headerSize)
	copy(buffer, fileMagic[:])
	binary.LittleEndian.PutUint32(buffer[8:], Version)
	binary.LittleEndian.PutUint32(buffer[12:], uint32(header.Kind))
	binary.LittleEndian.PutUint64(buffer[16:], header.Number)
	binary.LittleEndian.PutUint32(buffer[28:], frame.Checksum(buffer[:28]))
	return buffer
}

func decodeHeader(buffer []byte) (Header, error) {
	if len(buffer) < headerSize || [8]byte(buffer[:8]) != fileMagic {
		return Header{}, errHeader
	}
	if frame.Checksum(buffer[:28]) != binary.LittleEndian.Uint32(buffer[28:]) {
		return Header{}, errHeader
	}
	if version := binary.LittleEndian.Uint32(buffer[8:]); version != Version {
		return Header{}, fmt.Errorf("%w: version %d, expected %d", ErrVersion, version, Version)
	}
	return Header{
		Kind:   Kind(binary.LittleEndian.Uint32(buffer[12:])),
		Number: binary.LittleEndian.Uint64(buffer[16:]),
	}, nil
}

// form is that of a file's frames.
func form(number uint64) frame.Form {
	return frame.Form{Magic: frameMagic, File: uint32(number), MaxPayload: MaxPayload}
}

// appendFrame appends the frame's bytes to buffer.
func appendFrame(buffer []byte, number uint64, f Frame) []byte {
	return form(number).Append(buffer, uint32(f.Kind), f.Sequence, f.Payload)
}
