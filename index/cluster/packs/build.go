package packs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"

	"mekiki/index/cluster/objects"
)

// A Place is where a piece lies.
type Place struct {
	// Pack is the key of the object, and Name that of the piece.
	Pack string `json:"pack"`
	Name string `json:"name"`
	// Offset and Length say which bytes of the object's data are the piece's.
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
}

// A Builder collects pieces. The zero value is ready. It is for one goroutine.
type Builder struct {
	table, pieces []byte
	places        []Place
	names         map[string]bool
}

// Add takes a piece. It gives false, and takes nothing, when the pack would be too large:
// then write it, and go on with the next one. A name comes once.
func (b *Builder) Add(name string, data []byte) bool {
	length := pieceHeader + len(name) + len(data)
	switch {
	case name == "" || len(name) > maximumName || b.names[name]:
		return false
	case len(b.places) > 0 && (len(b.places) == maximumPieces || b.Size()+length+entryHeader+len(name) > maximumPack):
		return false
	case length > maximumPack:
		return false
	}
	if b.names == nil {
		b.names = map[string]bool{}
	}
	b.names[name] = true
	b.places = append(b.places, Place{Name: name, Offset: int64(len(b.pieces)), Length: int64(length)})
	b.table = appendEntry(b.table, name, len(b.pieces), length)
	b.pieces = binary.LittleEndian.AppendUint16(b.pieces, uint16(len(name)))
	b.pieces = append(b.pieces, name...)
	b.pieces = binary.LittleEndian.AppendUint32(b.pieces, pieceSum(name, data))
	b.pieces = append(b.pieces, data...)
	return true
}

// Size is about how many bytes the pack would have.
func (b *Builder) Size() int { return headerSize + len(b.table) + len(b.pieces) }

// Count is how many pieces there are.
func (b *Builder) Count() int { return len(b.places) }

// Written is a pack in the store.
type Written struct {
	// Pack is its key.
	Pack string
	// Places are those of its pieces, by their names.
	Places map[string]Place
}

// Write writes the pack, and empties the builder. The key begins with a prefix and is that
// of the contents: writing the same again changes nothing. After an error the pieces are still there.
func (b *Builder) Write(ctx context.Context, store objects.Store, prefix string) (Written, error) {
	data := make([]byte, 0, b.Size())
	data = append(data, packMagic...)
	data = binary.LittleEndian.AppendUint32(data, packVersion)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(b.places)))
	data = binary.LittleEndian.AppendUint32(data, uint32(len(b.table)))
	data = binary.LittleEndian.AppendUint32(data, crc32.Checksum(b.table, castagnoli))
	data = append(append(data, b.table...), b.pieces...)
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:16])
	written := Written{Pack: prefix + name[:2] + "/" + name, Places: map[string]Place{}}
	if err := store.Put(ctx, written.Pack, data); err != nil {
		return Written{}, fmt.Errorf("write a pack of %d pieces: %w", len(b.places), err)
	}
	for _, place := range b.places {
		place.Pack = written.Pack
		place.Offset += int64(headerSize + len(b.table))
		written.Places[place.Name] = place
	}
	*b = Builder{}
	return written, nil
}
