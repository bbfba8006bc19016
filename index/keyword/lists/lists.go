// Package lists reads bleve's lists of documents as they are: a segment at a time, with documents as numbers.
// bleve's own searchers hand over each document of each list in a structure of its own, with the name of the segment's
// document worked out, and so take several times as long.
package lists

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// Segment is one of an index's files, or what is not in a file yet. Its documents are numbered from 0 on. It is safe for
// concurrent use, for as long as the reader is open that it was made of.
type Segment struct {
	segment segment.Segment
	deleted *roaring.Bitmap // nil where none are
	ids     *ids
}

// Table keeps the IDs of documents from one reader of an index to the next. It is safe for concurrent use.
type Table struct {
	mutex sync.Mutex
	ids   map[segment.Segment]*ids // of the segments that were asked for last
}

// Segments gives the segments that a reader reads; nil where bleve keeps its index in another form.
func (t *Table) Segments(reader index.IndexReader) []Segment {
	snapshot, present := reader.(*scorch.IndexSnapshot)
	if !present {
		return nil
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	former := t.ids
	t.ids = make(map[segment.Segment]*ids, len(snapshot.Segments()))
	segments := make([]Segment, 0, len(snapshot.Segments()))
	for _, one := range snapshot.Segments() {
		known := former[one.Segment()]
		if known == nil {
			known = &ids{segment: one.Segment(), known: make([]atomic.Uint64, one.Segment().Count())}
		}
		t.ids[one.Segment()] = known
		s := Segment{segment: one.Segment(), deleted: one.Deleted(), ids: known}
		if s.deleted != nil && s.deleted.IsEmpty() {
			s.deleted = nil
		}
		segments = append(segments, s)
	}
	return segments
}

// Deleted reports whether a document was deleted. Lists have it all the same.
func (s *Segment) Deleted(document uint64) bool {
	return s.deleted != nil && s.deleted.Contains(uint32(document))
}

// ID is the ID of a document.
func (s *Segment) ID(document uint64) (uint64, error) { return s.ids.of(document) }

// Count is the number of documents, those that were deleted included.
func (s *Segment) Count() uint64 { return s.segment.Count() }

// ids are the IDs of a segment's documents, each read when it is first asked for. All readers of the segment share them.
type ids struct {
	segment segment.Segment
	known   []atomic.Uint64 // zero: not read yet
}

func (s *ids) of(document uint64) (uint64, error) {
	if document >= uint64(len(s.known)) {
		return 0, fmt.Errorf("no document %d of %d", document, len(s.known))
	}
	if known := s.known[document].Load(); known != 0 {
		return known, nil
	}
	external, err := s.segment.DocID(document)
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseUint(string(external), 10, 64)
	if err != nil {
		return 0, err
	}
	s.known[document].Store(id)
	return id, nil
}

// Having gives the documents that have one of some values in a field.
func (s *Segment) Having(field string, values []string) (*roaring.Bitmap, error) {
	dictionary, err := s.segment.Dictionary(field)
	if err != nil {
		return nil, err
	}
	all := roaring.New()
	for _, value := range values {
		list, err := dictionary.PostingsList([]byte(value), nil, nil)
		if err != nil {
			return nil, err
		}
		if into, can := list.(interface{ OrInto(*roaring.Bitmap) }); can {
			into.OrInto(all)
			continue
		}
		for postings := list.Iterator(false, false, false, nil); ; {
			posting, err := postings.Next()
			if err != nil {
				return nil, err
			}
			if posting == nil {
				break
			}
			all.Add(uint32(posting.Number()))
		}
	}
	return all, nil
}

// Lists gives, for each of some terms, its list in a field of the segment, nil for none, and how many documents that were not
// deleted have it.
func (s *Segment) Lists(field string, terms []string) (found []*List, living []uint64, err error) {
	dictionary, err := s.segment.Dictionary(field)
	if err != nil {
		return nil, nil, err
	}
	found, living = make([]*List, len(terms)), make([]uint64, len(terms))
	for i, term := range terms {
		list, err := dictionary.PostingsList([]byte(term), nil, nil)
		if err != nil {
			return nil, nil, err
		}
		if living[i] = list.Count(); living[i] == 0 {
			continue
		}
		found[i] = &List{list, s.segment.Count()}
		if s.deleted == nil {
			continue
		}
		// The list is gone through with those that were deleted: bleve goes through one without them from its beginning.
		if list, err = dictionary.PostingsList([]byte(term), s.deleted, nil); err != nil {
			return nil, nil, err
		}
		living[i] = list.Count()
	}
	return found, living, nil
}

// List has the documents of a segment that have a term in a field.
type List struct {
	postings  segment.PostingsList
	documents uint64 // of the segment
}
