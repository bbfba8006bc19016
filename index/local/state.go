package local

import (
	"mekiki/embed"
	"mekiki/index"
	"time"
)

// state is everything the catalog knows at one commit. It is immutable.
type state struct {
	sequence    uint64
	nextID      index.ID // the last one given
	nextSegment uint64   // the last segment number given
	records     table[*index.Record]
	counts      [3]int // by Kind
	spaces      []*space
	failures    map[string]index.Failure
	kept        map[index.Hash]index.Kept // of pictures that have no file any more
}

// space is one vector space of a state. It is immutable.
type space struct {
	number    uint64
	space     embed.Space
	added     time.Time
	rank      spaceRank
	locations table[location]
}

// spaceRank says what a space is used for.
type spaceRank uint64

const (
	rankFilling  spaceRank = 0
	rankServing  spaceRank = 1
	rankPrevious spaceRank = 2
)

// location says where a record's blocks are in the segments of a space. A
// length of zero means that there is no such block.
type location struct {
	vectors  extent
	tokens   extent
	sequence uint64 // of the commit that set it
}

// extent is one block in a segment, its header included.
type extent struct {
	segment uint64
	offset  int64
	length  int64
}

func (s *state) record(id index.ID) (*index.Record, bool) {
	record, there := s.records.get(id)
	return record, there
}

// serving is the space that searches use, or nil.
func (s *state) serving() *space {
	for _, candidate := range s.spaces {
		if candidate.rank == rankServing {
			return candidate
		}
	}
	return nil
}

func (s *state) spaceNumbered(number uint64) *space {
	for _, candidate := range s.spaces {
		if candidate.number == number {
			return candidate
		}
	}
	return nil
}

func (s *state) spaceOf(wanted embed.Space) *space {
	for _, candidate := range s.spaces {
		if candidate.space == wanted {
			return candidate
		}
	}
	return nil
}
