package catalog

import (
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local/segment"
)

// State is everything the catalog knows at one commit. It is immutable.
type State struct {
	Sequence    uint64
	nextID      index.ID // the last one given
	NextSegment uint64   // the last segment number given
	Records     Table[*index.Record]
	Counts      [3]int // by Kind
	Withheld    int    // records that are hidden or in the trash
	Spaces      []*Space
	Failures    map[string]index.Failure
	Kept        map[index.Hash]index.Kept    // of pictures that have no file any more
	Searches    map[string]index.SavedSearch // by [SearchKey]
}

// Space is one vector space of a state. It is immutable.
type Space struct {
	Number    uint64
	Space     embed.Space
	Added     time.Time
	Rank      Rank
	Locations Table[Location]
}

// Rank says what a space is used for.
type Rank uint64

const (
	// Filling: its vectors are being made.
	Filling Rank = 0
	// Serving: searches use it.
	Serving Rank = 1
	// Previous: searches used it before.
	Previous Rank = 2
)

// Location says where a record's blocks are in the segments of a space. A
// length of zero means that there is no such block.
type Location struct {
	Vectors  segment.Extent
	Tokens   segment.Extent
	Sequence uint64 // of the commit that set it
}

// Record gives one record; false when there is none.
func (s *State) Record(id index.ID) (*index.Record, bool) {
	record, there := s.Records.Get(id)
	return record, there
}

// Serving is the space that searches use, or nil.
func (s *State) Serving() *Space {
	for _, candidate := range s.Spaces {
		if candidate.Rank == Serving {
			return candidate
		}
	}
	return nil
}

// SpaceNumbered gives the space with a number, or nil.
func (s *State) SpaceNumbered(number uint64) *Space {
	for _, candidate := range s.Spaces {
		if candidate.Number == number {
			return candidate
		}
	}
	return nil
}

// SpaceOf gives the space of some vectors, or nil.
func (s *State) SpaceOf(wanted embed.Space) *Space {
	for _, candidate := range s.Spaces {
		if candidate.Space == wanted {
			return candidate
		}
	}
	return nil
}
