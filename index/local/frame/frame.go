// Package frame is the form in which a library's append-only files, journals and segments, keep payloads: each behind a
// header that says what it is, to which file it belongs, and what its bytes add up to.
//
//	0  4 magic
//	4  4 kind
//	8  8 id
//	16 4 length of the payload
//	20 4 CRC-32C of the payload
//	24 4 low half of the file's number
//	28 4 CRC-32C of bytes 0 to 27
//	32   payload
//
// All numbers are little-endian.
package frame

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Size is the length of a frame's header in bytes.
const Size = 32

// Form is what all frames of one file have in common.
type Form struct {
	// Magic begins each frame.
	Magic uint32
	// File is the low half of the file's number.
	File uint32
	// MaxPayload is the largest payload in bytes.
	MaxPayload int64
}

// Header is a frame's header.
type Header struct {
	Kind uint32
	// ID is what the payload is of: a commit, a record.
	ID uint64
	// Length is the payload's in bytes, Checksum its CRC-32C.
	Length   int64
	Checksum uint32
}

// Checksum is the CRC-32C of data.
func Checksum(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

// Append appends the bytes of a frame to buffer.
func (f Form) Append(buffer []byte, kind uint32, id uint64, payload []byte) []byte {
	start := len(buffer)
	buffer = binary.LittleEndian.AppendUint32(buffer, f.Magic)
	buffer = binary.LittleEndian.AppendUint32(buffer, kind)
	buffer = binary.LittleEndian.AppendUint64(buffer, id)
	buffer = binary.LittleEndian.AppendUint32(buffer, uint32(len(payload)))
	buffer = binary.LittleEndian.AppendUint32(buffer, Checksum(payload))
	buffer = binary.LittleEndian.AppendUint32(buffer, f.File)
	buffer = binary.LittleEndian.AppendUint32(buffer, Checksum(buffer[start:]))
	return append(buffer, payload...)
}

// Decode reads a header, and reports false when the bytes begin no frame of this form.
func (f Form) Decode(buffer []byte) (Header, bool) {
	if len(buffer) < Size || binary.LittleEndian.Uint32(buffer) != f.Magic ||
		Checksum(buffer[:28]) != binary.LittleEndian.Uint32(buffer[28:]) ||
		binary.LittleEndian.Uint32(buffer[24:]) != f.File {
		return Header{}, false
	}
	header := Header{
		Kind:     binary.LittleEndian.Uint32(buffer[4:]),
		ID:       binary.LittleEndian.Uint64(buffer[8:]),
		Length:   int64(binary.LittleEndian.Uint32(buffer[16:])),
		Checksum: binary.LittleEndian.Uint32(buffer[20:]),
	}
	return header, header.Length <= f.MaxPayload
}

// State is what stands at a place of a file.
type State int

// The states of a place.
const (
	// Absent: no header, or one of more bytes than follow it.
	Absent State = iota
	// Damaged: a header whose payload is not as it was written.
	Damaged
	// Whole: a frame as it was written.
	Whole
)

// Read reads the frame at offset of a file of size bytes. Its payload lies in buffer, which grows with need, until the
// next call.
func (f Form) Read(file io.ReaderAt, size, offset int64, buffer *[]byte) (header Header, payload []byte, state State, err error) {
	var start [Size]byte
	if offset > size-Size {
		return Header{}, nil, Absent, nil
	}
	if err := ReadFull(file, start[:], offset); err != nil {
		return Header{}, nil, Absent, err
	}
	header, ok := f.Decode(start[:])
	if !ok || header.Length > size-offset-Size {
		return Header{}, nil, Absent, nil
	}
	if int64(cap(*buffer)) < header.Length {
		*buffer = make([]byte, header.Length)
	}
	payload = (*buffer)[:header.Length]
	if err := ReadFull(file, payload, offset+Size); err != nil {
		return Header{}, nil, Absent, err
	}
	if Checksum(payload) != header.Checksum {
		return header, payload, Damaged, nil
	}
	return header, payload, Whole, nil
}

// ReadFull fills buffer from offset on; a file that ends before is io.ErrUnexpectedEOF.
func ReadFull(file io.ReaderAt, buffer []byte, offset int64) error {
	n, err := file.ReadAt(buffer, offset)
	if n == len(buffer) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
