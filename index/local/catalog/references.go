package catalog

import (
	"mekiki/index/local/block"
	"mekiki/index/local/segment"
)

// Segments lists the segments that a state points into.
func Segments(s *State) map[segment.Key]bool {
	keys := map[segment.Key]bool{}
	for _, space := range s.Spaces {
		for _, l := range space.Locations.All() {
			if l.Vectors.Length > 0 {
				keys[segment.Key{Space: space.Number, Kind: block.Vectors, Number: l.Vectors.Segment}] = true
			}
			if l.Tokens.Length > 0 {
				keys[segment.Key{Space: space.Number, Kind: block.Tokens, Number: l.Tokens.Segment}] = true
			}
		}
	}
	return keys
}

// LastSegments gives the newest segment of each space and kind, and where its
// last committed block ends.
func LastSegments(s *State) map[segment.Key]int64 {
	ends := SegmentEnds(s)
	last := map[segment.Owner]uint64{}
	for key := range ends {
		owner := segment.Owner{Space: key.Space, Kind: key.Kind}
		last[owner] = max(last[owner], key.Number)
	}
	result := map[segment.Key]int64{}
	for owner, number := range last {
		key := segment.Key{Space: owner.Space, Kind: owner.Kind, Number: number}
		result[key] = ends[key]
	}
	return result
}

// SegmentEnds gives, for each segment, where its last committed block ends.
func SegmentEnds(s *State) map[segment.Key]int64 {
	ends := map[segment.Key]int64{}
	note := func(space uint64, kind block.Kind, x segment.Extent) {
		if x.Length == 0 {
			return
		}
		key := segment.Key{Space: space, Kind: kind, Number: x.Segment}
		ends[key] = max(ends[key], x.Offset+x.Length)
	}
	for _, space := range s.Spaces {
		for _, where := range space.Locations.All() {
			note(space.Number, block.Vectors, where.Vectors)
			note(space.Number, block.Tokens, where.Tokens)
		}
	}
	return ends
}
