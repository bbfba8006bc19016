// Package block keeps append-only files of checksummed blocks: the vectors
// and the image tokens of records. Where a block is, the catalog knows; what a
// block is, it says itself, so that a file can be verified, and its content
// told, without the catalog.
package block

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"mekiki/index/local/frame"
	"mekiki/internal/vfs"
)

// Version is the version of the file format that this package writes.
const Version = 1

// HeaderSize is the length of the file header, and BlockSize of each block's.
const (
	HeaderSize = 40
	BlockSize  = frame.Size
)

const blockMagic = 0x42494B4D // "MKIB", little-endian

var fileMagic = [8]byte{'M', 'K', 'I', 'S', 'E', 'G', 'M', '\n'}

// Kind says what a segment's blocks hold.
type Kind uint32

const (
	// Vectors are the parts of records.
	Vectors Kind = 1
	// Tokens are packed image tokens.
	Tokens Kind = 2
)

// String gives "vectors" or "tokens".
func (k Kind) String() string {
	switch k {
	case Vectors:
		return "vectors"
	case Tokens:
		return "tokens"
	}
	return fmt.Sprintf("kind(%d)", uint32(k))
}

// Header begins a segment:
//
//	0  8 magic "MKISEGM\n"
//	8  4 version
//	12 4 kind
//	16 8 number
//	24 8 space
//	32 4 reserved, zero
//	36 4 CRC-32C of bytes 0 to 35
//
// All numbers are little-endian.
type Header struct {
	Kind   Kind
	Number uint64
	Space  uint64
}

// Block is one record's data, as a frame with the magic "MKIB", the segment's kind,
// and the record as its id.
type Block struct {
	Record  uint64
	Payload []byte
}

// ErrDamaged is the error of everything that is not as it was written.
var ErrDamaged = errors.New("damaged")

func encodeHeader(header Header) []byte {
	buffer := make([]byte, HeaderSize)
	copy(buffer, fileMagic[:])
	binary.LittleEndian.PutUint32(buffer[8:], Version)
	binary.LittleEndian.PutUint32(buffer[12:], uint32(header.Kind))
	binary.LittleEndian.PutUint64(buffer[16:], header.Number)
	binary.LittleEndian.PutUint64(buffer[24:], header.Space)
	binary.LittleEndian.PutUint32(buffer[36:], frame.Checksum(buffer[:36]))
	return buffer
}

// ReadHeader reads and verifies a segment's header.
func ReadHeader(file io.ReaderAt) (Header, error) {
	buffer := make([]byte, HeaderSize)
	if n, err := file.ReadAt(buffer, 0); n < HeaderSize {
		if err == nil || errors.Is(err, io.EOF) {
			return Header{}, fmt.Errorf("segment header: %w: file of %d bytes", ErrDamaged, n)
		}
		return Header{}, fmt.Errorf("segment header: %w", err)
	}
	if [8]byte(buffer[:8]) != fileMagic || frame.Checksum(buffer[:36]) != binary.LittleEndian.Uint32(buffer[36:]) {
		return Header{}, fmt.Errorf("segment header: %w", ErrDamaged)
	}
	if version := binary.LittleEndian.Uint32(buffer[8:]); version != Version {
		return Header{}, fmt.Errorf("segment header: unknown version %d", version)
	}
	return Header{
		Kind:   Kind(binary.LittleEndian.Uint32(buffer[12:])),
		Number: binary.LittleEndian.Uint64(buffer[16:]),
		Space:  binary.LittleEndian.Uint64(buffer[24:]),
	}, nil
}

// form is that of a segment's blocks.
func (h Header) form() frame.Form {
	return frame.Form{Magic: blockMagic, File: uint32(h.Number), MaxPayload: MaxPayload}
}

// AppendBlock appends the bytes of a block of the segment with a header to buffer.
func AppendBlock(buffer []byte, header Header, block Block) []byte {
	return header.form().Append(buffer, uint32(header.Kind), block.Record, block.Payload)
}

// ReadBlock reads the whole block of a record, of length bytes with its header,
// at offset, and verifies it. Size is the file's. The payload is new memory.
func ReadBlock(file io.ReaderAt, header Header, size int64, record uint64, offset, length int64) ([]byte, error) {
	damaged := func(what string) error {
		return fmt.Errorf("%s segment %d at byte %d: %w: %s", header.Kind, header.Number, offset, ErrDamaged, what)
	}
	if offset < HeaderSize || length < BlockSize || length > BlockSize+MaxPayload || offset > size-length {
		return nil, damaged("the block lies outside the file")
	}
	buffer := make([]byte, length)
	if n, err := file.ReadAt(buffer, offset); n < len(buffer) {
		if err == nil || errors.Is(err, io.EOF) {
			return nil, damaged("the file ends early")
		}
		return nil, fmt.Errorf("%s segment %d: %w", header.Kind, header.Number, err)
	}
	found, ok := header.form().Decode(buffer)
	if !ok || found.Kind != uint32(header.Kind) || found.Length != length-BlockSize {
		return nil, damaged("block header")
	}
	if found.ID != record {
		return nil, damaged(fmt.Sprintf("the block is of record %d, not %d", found.ID, record))
	}
	if frame.Checksum(buffer[BlockSize:]) != found.Checksum {
		return nil, damaged("checksum of the block")
	}
	return buffer[BlockSize:], nil
}

// Create makes a segment file with its header; neither is durable yet.
func Create(fsys vfs.FS, name string, header Header) (vfs.File, error) {
	file, err := fsys.Create(name)
	if err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	}
	if _, err := file.WriteAt(encodeHeader(header), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("write segment header: %w", err), file.Close(), fsys.Remove(name))
	}
	return file, nil
}

// Stretch is a part of a segment that Verify found not to be as written, or a
// block that it found whole.
type Stretch struct {
	Offset, Length int64
	Record         uint64
	Whole          bool
}

// Verify goes through size bytes of a segment from its first block on and
// gives visit each whole block and each stretch between blocks that is none.
func Verify(file io.ReaderAt, header Header, size int64, visit func(Stretch) error) error {
	var buffer []byte
	damage := int64(-1)
	flush := func(end int64) error {
		if damage < 0 {
			return nil
		}
		stretch := Stretch{Offset: damage, Length: end - damage}
		damage = -1
		return visit(stretch)
	}
	for offset := int64(HeaderSize); offset < size; {
		record, length, whole, err := verifyBlock(file, header, size, offset, &buffer)
		if err != nil {
			return err
		}
		if length == 0 {
			if damage < 0 {
				damage = offset
			}
			if offset, err = nextMagic(file, offset+1, size); err != nil {
				return err
			}
			continue
		}
		if err := flush(offset); err != nil {
			return err
		}
		if err := visit(Stretch{Offset: offset, Length: length, Record: record, Whole: whole}); err != nil {
			return err
		}
		offset += length
	}
	return flush(size)
}

// verifyBlock gives length zero when there is no block header at offset.
func verifyBlock(file io.ReaderAt, header Header, size, offset int64, buffer *[]byte) (record uint64, length int64, whole bool, err error) {
	found, payload, state, err := header.form().Read(file, size, offset, buffer)
	if err != nil || state == frame.Absent || found.Kind != uint32(header.Kind) {
		return 0, 0, false, err
	}
	return found.ID, BlockSize + int64(len(payload)), state == frame.Whole, nil
}

// nextMagic finds the next place from offset on where a block may begin.
func nextMagic(file io.ReaderAt, offset, size int64) (int64, error) {
	buffer := make([]byte, 64<<10)
	for offset < size {
		chunk := buffer[:min(int64(len(buffer)), size-offset)]
		if err := frame.ReadFull(file, chunk, offset); err != nil {
			return 0, err
		}
		for i := 0; i+4 <= len(chunk); i++ {
			if binary.LittleEndian.Uint32(chunk[i:]) == blockMagic {
				return offset + int64(i), nil
			}
		}
		if offset+int64(len(chunk)) >= size {
			break
		}
		offset += int64(len(chunk)) - 3
	}
	return size, nil
}
