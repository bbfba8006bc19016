package renditions

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"mekiki/index"
)

// A file holds parts, one after the other, then a table with an entry of each part, then a
// trailer, all little-endian:
//
//	entry    offset 8 bytes, length 4, CRC-32C 4
//	trailer  "MKRN", version 4, number of parts 4, CRC-32C of the table 4
const (
	entrySize   = 16
	trailerSize = 16
	packMagic   = "MKRN"
	packVersion = 1
)

func checksum(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

// packWriter writes a file of parts.
type packWriter struct {
	to     io.Writer
	offset uint64
	table  []byte
}

func (w *packWriter) add(part []byte) error {
	if len(part) > maximumPart || len(w.table) >= maximumParts*entrySize {
		return fmt.Errorf("a rendition of %d parts and %d bytes is too large", len(w.table)/entrySize, len(part))
	}
	if _, err := w.to.Write(part); err != nil {
		return err
	}
	w.table = binary.LittleEndian.AppendUint64(w.table, w.offset)
	w.table = binary.LittleEndian.AppendUint32(w.table, uint32(len(part)))
	w.table = binary.LittleEndian.AppendUint32(w.table, checksum(part))
	w.offset += uint64(len(part))
	return nil
}

func (w *packWriter) close() error {
	trailer := append([]byte(nil), packMagic...)
	trailer = binary.LittleEndian.AppendUint32(trailer, packVersion)
	trailer = binary.LittleEndian.AppendUint32(trailer, uint32(len(w.table)/entrySize))
	trailer = binary.LittleEndian.AppendUint32(trailer, checksum(w.table))
	_, err := w.to.Write(append(w.table, trailer...))
	return err
}

// readPart reads one part of a file of some size. The error is [index.ErrDamaged] unless the
// part is as it was written.
func readPart(file io.ReaderAt, size int64, number int) ([]byte, error) {
	trailer := make([]byte, trailerSize)
	if _, err := file.ReadAt(trailer, size-trailerSize); err != nil || string(trailer[:4]) != packMagic {
		return nil, damaged("no trailer")
	}
	version, count := binary.LittleEndian.Uint32(trailer[4:]), int64(binary.LittleEndian.Uint32(trailer[8:]))
	tableAt := size - trailerSize - count*entrySize
	if version != packVersion || count > maximumParts || int64(number) >= count || tableAt < 0 {
		return nil, damaged("version %d with %d parts", version, count)
	}
	table := make([]byte, count*entrySize)
	if _, err := file.ReadAt(table, tableAt); err != nil || checksum(table) != binary.LittleEndian.Uint32(trailer[12:]) {
		return nil, damaged("its table is not as written")
	}
	entry := table[number*entrySize:]
	offset, length := binary.LittleEndian.Uint64(entry), int64(binary.LittleEndian.Uint32(entry[8:]))
	if length > maximumPart || offset > uint64(tableAt) || length > tableAt-int64(offset) {
		return nil, damaged("part %d lies outside", number)
	}
	part := make([]byte, length)
	if _, err := file.ReadAt(part, int64(offset)); err != nil || checksum(part) != binary.LittleEndian.Uint32(entry[12:]) {
		return nil, damaged("part %d is not as written", number)
	}
	return part, nil
}

func damaged(format string, arguments ...any) error {
	return fmt.Errorf("rendition: %w: %s", index.ErrDamaged, fmt.Sprintf(format, arguments...))
}
