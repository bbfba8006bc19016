package nearest

import (
	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local/block"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
)

// ReadVectors reads and checks a record's vectors.
func ReadVectors(segments segment.Set, from *catalog.Space, record *index.Record, l catalog.Location) (embed.Parts, error) {
	parts, err := readVectorsAgain(segments, from, record.ID, l)
	if err == nil {
		err = segment.CheckParts(parts, from.Space, record.Kind)
	}
	return parts, err
}

// readVectorsAgain reads vectors that were checked when they went into an index:
// the block's checksum says that they are the same.
func readVectorsAgain(segments segment.Set, from *catalog.Space, id index.ID, l catalog.Location) (embed.Parts, error) {
	payload, err := segments.Read(segment.Key{Space: from.Number, Kind: block.Vectors, Number: l.Vectors.Segment}, id, l.Vectors)
	if err != nil {
		return embed.Parts{}, err
	}
	return segment.DecodeVectors(payload)
}
