// Package lists reads bleve's lists of documents as they are: a segment at a time, with documents as numbers.
// bleve's own searchers hand over each document of each list in a structure of its own, with the name of the segment's
// document worked out, and so take several times as long.
package lists

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
	"golang.org/x/sync/singleflight"

	"mekiki/internal/lru"
)

// Segment is one of an index's files, or what is not in a file yet. Its documents are numbered from 0 on. It is safe for
// concurrent use, for as long as the reader is open that it was made of.
type Segment struct {
	*shared
	deleted *roaring.Bitmap // nil where none are
}

// Table keeps what was found out of segments from one reader of an index to the next: IDs of documents, and long lists in a form
// that is gone through faster. It is safe for concurrent use.
type Table struct {
	mutex    sync.Mutex
	segments map[segment.Segment]*shared // those that were asked for last
	unpacked *lru.Cache[unpackedKey, *unpacked]
}

// shared is what all readers of a segment share.
type shared struct {
	segment   segment.Segment
	ids       []atomic.Uint64 // of its documents, each read when it is first asked for; zero: not read yet
	least     []atomic.Uint64 // of each block of documents, the least ID, likewise
	unpacked  *lru.Cache[unpackedKey, *unpacked]
	unpacking singleflight.Group
}

// Segments gives the segments that a reader reads; nil where bleve keeps its index in another form.
func (t *Table) Segments(reader index.IndexReader) []Segment {
	snapshot, present := reader.(*scorch.IndexSnapshot)
	if !present {
		return nil
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.unpacked == nil {
		t.unpacked = lru.New[unpackedKey, *unpacked](mostUnpacked)
	}
	former := t.segments
	t.segments = make(map[segment.Segment]*shared, len(snapshot.Segments()))
	segments := make([]Segment, 0, len(snapshot.Segments()))
	for _, one := range snapshot.Segments() {
		known := former[one.Segment()]
		if known == nil {
			count := one.Segment().Count()
			known = &shared{segment: one.Segment(), unpacked: t.unpacked,
				ids: make([]atomic.Uint64, count), least: make([]atomic.Uint64, (count+BlockDocuments-1)/BlockDocuments)}
		}
		t.segments[one.Segment()] = known
		s := Segment{shared: known, deleted: one.Deleted()}
		if s.deleted != nil && s.deleted.IsEmpty() {
			s.deleted = nil
		}
		segments = append(segments, s)
	}
	t.unpacked.RemoveAll(func(key unpackedKey) bool { return t.segments[key.of.segment] != key.of })
	return segments
}

// Deleted reports whether a document was deleted. Lists have it all the same.
func (s *Segment) Deleted(document uint64) bool {
	return s.deleted != nil && s.deleted.Contains(uint32(document))
}

// Count is the number of documents, those that were deleted included.
func (s *shared) Count() uint64 { return s.segment.Count() }

// ID is the ID of a document.
func (s *shared) ID(document uint64) (uint64, error) {
	if document >= uint64(len(s.ids)) {
		return 0, fmt.Errorf("no document %d of %d", document, len(s.ids))
	}
	if known := s.ids[document].Load(); known != 0 {
		return known, nil
	}
	external, err := s.segment.DocID(document)
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseUint(string(external), 10, 64)
	if err == nil {
		s.ids[document].Store(id)
	}
	return id, err
}

// LeastID is the least ID of a block, which is the documents from a multiple of [BlockDocuments] on, those that were deleted
// included.
func (s *shared) LeastID(block uint64) (uint64, error) {
	if known := s.knownLeast(block); known != 0 {
		return known, nil
	}
	var least []byte
	for document := block * BlockDocuments; document < min((block+1)*BlockDocuments, uint64(len(s.ids))); document++ {
		external, err := s.segment.DocID(document)
		if err != nil {
			return 0, err
		}
		if least == nil || len(external) < len(least) || len(external) == len(least) && bytes.Compare(external, least) < 0 {
			least = external
		}
	}
	id, err := strconv.ParseUint(string(least), 10, 64)
	if err == nil {
		s.least[block].Store(id)
	}
	return id, err
}

// knownLeast is LeastID where it is known, otherwise zero.
func (s *shared) knownLeast(block uint64) uint64 { return s.least[block].Load() }

// Prepare reads what [Segment.LeastID] gives.
func (s *shared) Prepare(ctx context.Context) error {
	for block := range s.least {
		if _, err := s.LeastID(uint64(block)); err != nil || ctx.Err() != nil {
			return cmp.Or(err, ctx.Err())
		}
	}
	return nil
}

// Named gives the documents that have some names, as bleve knows them by.
func (s *Segment) Named(names []string) (*roaring.Bitmap, error) { return s.segment.DocNumbers(names) }

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
// deleted have it. Average is the length of the field, as in [Scoring], always the same.
func (s *Segment) Lists(field string, average int, terms []string) (found []*List, living []uint64, err error) {
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
		found[i] = &List{postings: list, documents: s.segment.Count(), count: living[i], of: s.shared, field: field, term: term, average: average}
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
	postings         segment.PostingsList
	documents, count uint64 // of the segment, and of the list
	of               *shared
	field, term      string
	average          int
	unpacked         *unpacked // nil until it is needed
}
