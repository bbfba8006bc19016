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
	payload, err := readPayload(segments, from, record.ID, l)
	if err != nil {
		return embed.Parts{}, err
	}
	parts, err := segment.DecodeVectors(payload)
	if err == nil {
		err = segment.CheckParts(parts, from.Space, record.Kind)
	}
	return parts, err
}

// readPayload reads the vectors of a record as they are written. Those that were checked when they went into an index need not be
// checked again: the block's checksum says that they are the same.
func readPayload(segments segment.Set, from *catalog.Space, id index.ID, l catalog.Location) ([]byte, error) {
	return segments.Read(segment.Key{Space: from.Number, Kind: block.Vectors, Number: l.Vectors.Segment}, id, l.Vectors)
}
