package packs

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"mekiki/index"
)

// The data of a pack, little-endian. A header:
//
//	0  8  magic "MKIPACK\n"
//	8  4  version
//	12 4  number of pieces
//	16 4  length of the table
//	20 4  CRC-32C of the table
//
// then the table, with an entry for each piece: length of its name 2, name, offset after the
// table 4, length 4; then the pieces: length of the name 2, name, CRC-32C of name and data 4, data.
const (
	headerSize  = 24
	entryHeader = 10
	pieceHeader = 6
	packMagic   = "MKIPACK\n"
	packVersion = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func pieceSum(name string, data []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(name), castagnoli), castagnoli, data)
}

func appendEntry(table []byte, name string, offset, length int) []byte {
	table = binary.LittleEndian.AppendUint16(table, uint16(len(name)))
	table = append(table, name...)
	table = binary.LittleEndian.AppendUint32(table, uint32(offset))
	return binary.LittleEndian.AppendUint32(table, uint32(length))
}

// head is what the header of a pack says.
type head struct {
	count, table int
	sum          uint32
}

func readHead(pack string, data []byte) (head, error) {
	if len(data) < headerSize || string(data[:8]) != packMagic {
		return head{}, damaged(pack, "it does not begin like a pack")
	}
	if version := binary.LittleEndian.Uint32(data[8:]); version != packVersion {
		return head{}, fmt.Errorf("pack %s: %w: version %d", pack, index.ErrVersion, version)
	}
	h := head{int(binary.LittleEndian.Uint32(data[12:])), int(binary.LittleEndian.Uint32(data[16:])), binary.LittleEndian.Uint32(data[20:])}
	if h.count > maximumPieces || h.table > h.count*(entryHeader+maximumName) {
		return head{}, damaged(pack, "a table of %d bytes for %d pieces", h.table, h.count)
	}
	return h, nil
}

// readTable gives the places of all pieces.
func (h head) readTable(pack string, table []byte) ([]Place, error) {
	if len(table) != h.table || crc32.Checksum(table, castagnoli) != h.sum {
		return nil, damaged(pack, "its table is not as written")
	}
	places := make([]Place, 0, h.count)
	for len(table) > 0 {
		if len(table) < entryHeader || len(table) < entryHeader+int(binary.LittleEndian.Uint16(table)) {
			return nil, damaged(pack, "its table ends in the middle")
		}
		length := int(binary.LittleEndian.Uint16(table))
		name, numbers := string(table[2:2+length]), table[2+length:]
		place := Place{pack, name, int64(headerSize + h.table + int(binary.LittleEndian.Uint32(numbers))), int64(binary.LittleEndian.Uint32(numbers[4:]))}
		if place.Length > maximumPack || len(places) == h.count {
			return nil, damaged(pack, "piece %q has %d bytes", name, place.Length)
		}
		places, table = append(places, place), numbers[8:]
	}
	if len(places) != h.count {
		return nil, damaged(pack, "%d pieces in a table of %d", len(places), h.count)
	}
	return places, nil
}

// readPiece gives the data of a piece.
func readPiece(place Place, framed []byte) ([]byte, error) {
	name := []byte(place.Name)
	if len(framed) < pieceHeader+len(name) || int(binary.LittleEndian.Uint16(framed)) != len(name) || string(framed[2:2+len(name)]) != place.Name {
		return nil, damaged(place.Pack, "piece %q is not where it should be", place.Name)
	}
	framed = framed[2+len(name):]
	if data := framed[4:]; binary.LittleEndian.Uint32(framed) == pieceSum(place.Name, data) {
		return data, nil
	}
	return nil, damaged(place.Pack, "piece %q is not as written", place.Name)
}

func damaged(pack, format string, arguments ...any) error {
	return fmt.Errorf("pack %s: %w: %s", pack, index.ErrDamaged, fmt.Sprintf(format, arguments...))
}
