// Package codes keeps the 8-bit codes of groups of vectors in a file, from which they are
// read group by group: 32 million vectors take 8 GB there, and 24 bytes a group in memory.
//
//	┌──────────┬────────────┬────────────┬───┬───────────┬─────────┐
//	│ "MEKICOD1"│ record 0   │ record 1   │ … │ directory │ trailer │
//	└──────────┴────────────┴────────────┴───┴───────────┴─────────┘
//	              facts of     one record a     24 bytes    where the
//	              the rows,    group, in the    a group     directory
//	              their codes  order written                begins
//
// All numbers are little-endian. The file begins with 8 bytes, "MEKICOD1". A record is
//
//	4          CRC-32C of the facts
//	12 a row   the facts: scale, coded norm, residual norm (float32)
//	stride a row  codes, biased by 128, and zeros beyond the width
//
// The directory has for each record, in their order,
//
//	8 group
//	8 identity, given by whoever wrote it: which vectors of the group these are of
//	4 number of rows
//	4 CRC-32C of the codes
//
// and package sealed describes the trailer.
//
// The directory is verified when the file is opened, and each record whenever it is read.
package codes

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"

	"mekiki/index/vector/sealed"
)

// ErrDamaged is wrapped by errors about a file that is not as it was written. It can be
// deleted; it is made again.
var ErrDamaged = errors.New("unusable saved codes")

const (
	magic         = "MEKICOD1"
	rowFacts      = 12
	recordSum     = 4
	directoryItem = 24
	// directoryPiece is how much of a directory is read at a time.
	directoryPiece = directoryItem << 14
)

func format() sealed.Format {
	return sealed.Format{Name: magic, Damaged: ErrDamaged, Item: directoryItem}
}

// Sum is the checksum of codes.
func Sum(codes []byte) uint32 { return sealed.Sum(codes) }

// Row is what is known of a row beside its codes: its scale (value i is about Scale *
// (codes[i] - 128)), and the Euclidean norms, rounded up, of what the codes stand for and
// of what they miss.
type Row struct{ Scale, Coded, Residual float32 }

// Entry is a record of the directory.
type Entry struct {
	// Group is the group's number, and Identity tells its vectors from others that it had.
	Group, Identity uint64
	// Rows is the number of vectors.
	Rows int
	// Sum is the checksum of the codes.
	Sum uint32
}

// Size is the number of bytes of a record of so many rows of stride bytes.
func Size(rows, stride int) int64 { return recordSum + int64(rows)*int64(rowFacts+stride) }

// Writer writes a file from its beginning to its end.
type Writer struct {
	buffered  *bufio.Writer
	width     int
	directory []byte
	facts     []byte
}

// NewWriter begins a file of vectors of a width.
func NewWriter(w io.Writer, width int) (*Writer, error) {
	buffered := bufio.NewWriterSize(w, 1<<20)
	_, err := buffered.WriteString(magic)
	return &Writer{buffered: buffered, width: width}, err
}

// Add writes a group: its rows and their codes, of the same stride for all groups.
func (w *Writer) Add(group, identity uint64, rows []Row, codes []byte) error {
	w.facts = w.facts[:0]
	for _, row := range rows {
		w.facts = binary.LittleEndian.AppendUint32(w.facts, math.Float32bits(row.Scale))
		w.facts = binary.LittleEndian.AppendUint32(w.facts, math.Float32bits(row.Coded))
		w.facts = binary.LittleEndian.AppendUint32(w.facts, math.Float32bits(row.Residual))
	}
	w.directory = binary.LittleEndian.AppendUint64(w.directory, group)
	w.directory = binary.LittleEndian.AppendUint64(w.directory, identity)
	w.directory = binary.LittleEndian.AppendUint32(w.directory, uint32(len(rows)))
	w.directory = binary.LittleEndian.AppendUint32(w.directory, Sum(codes))
	_, err := w.buffered.Write(binary.LittleEndian.AppendUint32(nil, Sum(w.facts)))
	if err == nil {
		_, err = w.buffered.Write(w.facts)
	}
	if err == nil {
		_, err = w.buffered.Write(codes)
	}
	return err
}

// Finish writes the directory, and what is buffered. It does not close the file.
func (w *Writer) Finish() error {
	_, err := w.buffered.Write(w.directory)
	if err == nil {
		_, err = w.buffered.Write(format().Trailer(w.width, w.directory))
	}
	if err == nil {
		err = w.buffered.Flush()
	}
	return err
}

// File is a file of codes. It is safe for concurrent use.
type File struct {
	reader  io.ReaderAt
	stride  int
	damaged atomic.Bool
}

// Open reads the directory of a file of size bytes, of vectors of a width that take stride
// bytes. An error wraps ErrDamaged unless it is the reader's. Memory is asked for in
// proportion to the size.
func Open(reader io.ReaderAt, size int64, width, stride int) (*File, []Entry, error) {
	found, err := format().Open(reader, size, width)
	if err != nil {
		return nil, nil, err
	}
	entries, err := readDirectory(reader, found)
	if err != nil {
		return nil, nil, err
	}
	end := int64(len(magic))
	for _, entry := range entries {
		if end > found.Start { // rows are at most 2^32, so this ends before an overflow
			break
		}
		end += Size(entry.Rows, stride)
	}
	if end != found.Start {
		return nil, nil, fmt.Errorf("%w: the records end at %d instead of %d", ErrDamaged, end, found.Start)
	}
	return &File{reader: reader, stride: stride}, entries, nil
}

func readDirectory(reader io.ReaderAt, found sealed.Directory) ([]Entry, error) {
	entries, piece, got := make([]Entry, 0, found.Items), make([]byte, min(directoryPiece, found.Items*directoryItem)), uint32(0)
	for start, end := found.Start, found.Start+found.Items*directoryItem; start < end; start += int64(len(piece)) {
		piece = piece[:min(int64(len(piece)), end-start)]
		if err := format().ReadFull(reader, piece, start); err != nil {
			return nil, err
		}
		got = sealed.Grow(got, piece)
		for item := piece; len(item) > 0; item = item[directoryItem:] {
			entries = append(entries, Entry{
				Group: binary.LittleEndian.Uint64(item), Identity: binary.LittleEndian.Uint64(item[8:]),
				Rows: int(binary.LittleEndian.Uint32(item[16:])), Sum: binary.LittleEndian.Uint32(item[20:]),
			})
		}
	}
	if got != found.Sum {
		return nil, fmt.Errorf("%w: checksum of the directory does not match", ErrDamaged)
	}
	return entries, nil
}

// First is where the first record is; each other follows the one before it, see Size.
func First() int64 { return int64(len(magic)) }

// Damaged reports whether a record that was read was not as it was written.
func (f *File) Damaged() bool { return f.damaged.Load() }

// Buffer is memory that records are read into. It is for one goroutine at a time.
type Buffer struct {
	file *File
	at   int64 // where in the file
	data []byte
	rows []Row
	err  error // of the last reading that failed, while file is nil
}

// Fill reads length bytes at a place of a file, so that Read finds the records there
// without reading the file. What fails here fails again, with an error, in Read.
func (f *File) Fill(b *Buffer, at, length int64) {
	if b.file == f && at >= b.at && at+length <= b.at+int64(len(b.data)) {
		return
	}
	if int64(cap(b.data)) < length {
		b.data = make([]byte, length)
	}
	b.file, b.at, b.data = f, at, b.data[:length]
	if err := format().ReadFull(f.reader, b.data, at); err != nil {
		b.file, b.err = nil, err
		if errors.Is(err, ErrDamaged) {
			f.damaged.Store(true)
		}
	}
}

// Read reads a record of so many rows, and of codes with a checksum. Both are good until the
// buffer's next use.
func (f *File) Read(b *Buffer, at int64, rows int, sum uint32) (facts []Row, codes []byte, err error) {
	size := Size(rows, f.stride)
	f.Fill(b, at, size)
	if b.file != f {
		return nil, nil, fmt.Errorf("read codes at %d: %w", at, b.err)
	}
	record := b.data[at-b.at:][:size]
	known, codes := record[recordSum:recordSum+rows*rowFacts], record[recordSum+rows*rowFacts:]
	if Sum(known) != binary.LittleEndian.Uint32(record) || Sum(codes) != sum {
		f.damaged.Store(true)
		return nil, nil, fmt.Errorf("%w: checksum of the record at %d does not match", ErrDamaged, at)
	}
	b.rows = b.rows[:0]
	for ; len(known) > 0; known = known[rowFacts:] {
		b.rows = append(b.rows, Row{
			Scale: math.Float32frombits(binary.LittleEndian.Uint32(known)), Coded: math.Float32frombits(binary.LittleEndian.Uint32(known[4:])),
			Residual: math.Float32frombits(binary.LittleEndian.Uint32(known[8:])),
		})
	}
	return b.rows, codes, nil
}
