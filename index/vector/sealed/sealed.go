// Package sealed is what the files of vectors have in common that are read piece by piece: they begin with the name of
// their format, and end with a directory and a trailer,
//
//	4 width
//	4 number of items of the directory
//	4 CRC-32C of the directory
//	4 CRC-32C of these 12 bytes and of the name
//
// so that a file that is of another format or width, cut short or damaged there is not opened. All numbers are little-endian.
package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

const trailerSize = 16

// castagnoli is never changed.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum is the CRC-32C of data.
func Sum(data []byte) uint32 { return crc32.Checksum(data, castagnoli) }

// Grow is the CRC-32C of what has the first one and of data after it.
func Grow(sum uint32, data []byte) uint32 { return crc32.Update(sum, castagnoli, data) }

// Format is a kind of files.
type Format struct {
	// Name is what they begin with.
	Name string
	// Damaged is wrapped by errors about a file that is not as it was written.
	Damaged error
	// Item is the number of bytes of an item of the directory.
	Item int
}

// Trailer is the end of a file of vectors of a width, with a directory.
func (f Format) Trailer(width int, directory []byte) []byte {
	return f.trailer(width, int64(len(directory)/f.Item), Sum(directory))
}

func (f Format) trailer(width int, items int64, sum uint32) []byte {
	trailer := binary.LittleEndian.AppendUint32(nil, uint32(width))
	trailer = binary.LittleEndian.AppendUint32(trailer, uint32(items))
	trailer = binary.LittleEndian.AppendUint32(trailer, sum)
	return binary.LittleEndian.AppendUint32(trailer, Grow(Sum(trailer), []byte(f.Name)))
}

// Directory is where a file's directory lies, how many items it has and what its checksum should be.
type Directory struct {
	Start, Items int64
	Sum          uint32
}

// Open verifies the beginning and the end of a file of size bytes, of vectors of a width, and finds its directory, which is not
// read. An error wraps Damaged unless it is the reader's.
func (f Format) Open(reader io.ReaderAt, size int64, width int) (Directory, error) {
	if size < int64(len(f.Name))+trailerSize {
		return Directory{}, fmt.Errorf("%w: cut short", f.Damaged)
	}
	if err := f.begins(reader); err != nil {
		return Directory{}, err
	}
	trailer := make([]byte, trailerSize)
	if err := f.ReadFull(reader, trailer, size-trailerSize); err != nil {
		return Directory{}, err
	}
	d := Directory{Items: int64(binary.LittleEndian.Uint32(trailer[4:])), Sum: binary.LittleEndian.Uint32(trailer[8:])}
	if string(trailer) != string(f.trailer(width, d.Items, d.Sum)) {
		return Directory{}, fmt.Errorf("%w: the end is damaged, or of another width", f.Damaged)
	}
	d.Start = size - trailerSize - d.Items*int64(f.Item)
	if d.Start < int64(len(f.Name)) {
		return Directory{}, fmt.Errorf("%w: %d items in %d bytes", f.Damaged, d.Items, size)
	}
	return d, nil
}

// Begins reports whether a reader of size bytes begins like a file of this kind.
func (f Format) Begins(reader io.ReaderAt, size int64) bool {
	return size >= int64(len(f.Name)) && f.begins(reader) == nil
}

func (f Format) begins(reader io.ReaderAt) error {
	begin := make([]byte, len(f.Name))
	if err := f.ReadFull(reader, begin, 0); err != nil {
		return err
	}
	if string(begin) != f.Name {
		return fmt.Errorf("%w: the beginning is damaged, or of another version", f.Damaged)
	}
	return nil
}

// ReadFull fills a buffer from a place of a file. The error wraps Damaged where the file ends before.
func (f Format) ReadFull(reader io.ReaderAt, buffer []byte, at int64) error {
	n, err := reader.ReadAt(buffer, at)
	if n == len(buffer) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: cut short", f.Damaged)
	}
	return err
}
