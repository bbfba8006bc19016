package lists

import (
	"math"

	segment "github.com/blevesearch/scorch_segment_api/v2"
	zap "github.com/blevesearch/zapx/v17"
)

// End stands for the end of a list.
const End = math.MaxUint64

// Cursor is at a document of a list, first before its first one. It is for one goroutine.
type Cursor struct {
	// Document is the one that it is at, or [End].
	Document uint64

	postings segment.PostingsIterator
	posting  segment.Posting // nil before the first
	// Of bleve's present lists it is known how they are read: in chunks of so many documents, zero where it is not. inside is
	// that of the last document, -1 for none.
	inChunks *zap.PostingsIterator
	chunk    uint64
	inside   int64
}

// Cursor begins to go through the list, and finds out places too if asked to.
func (l *List) Cursor(places bool) *Cursor {
	c := &Cursor{postings: l.postings.Iterator(true, true, places, nil), inside: -1}
	if postings, present := c.postings.(*zap.PostingsIterator); present && postings.ActualBM != nil {
		// As in zapx, for its DefaultChunkMode.
		c.inChunks, c.chunk = postings, l.documents/(l.postings.Count()/chunkPostings+1)
	}
	return c
}

// Next moves the cursor to the next document.
func (c *Cursor) Next() error { return c.take(c.postings.Next()) }

// Advance moves the cursor to a document, or the next that the list has, unless it is there or beyond.
func (c *Cursor) Advance(document uint64) error {
	if c.posting != nil && c.Document >= document {
		return nil
	}
	if c.chunk > 0 {
		// bleve goes through all documents between. Those of whole chunks can be passed by.
		if wanted := document / c.chunk; int64(wanted) > c.inside {
			c.inChunks.Actual.AdvanceIfNeeded(uint32(wanted * c.chunk))
			if !c.inChunks.Actual.HasNext() {
				return c.take(nil, nil)
			}
		}
	}
	return c.take(c.postings.Advance(document))
}

func (c *Cursor) take(posting segment.Posting, err error) error {
	if err != nil {
		return err
	}
	if c.posting = posting; posting == nil {
		c.Document, c.posting = End, ended{}
		return nil
	}
	if c.Document = posting.Number(); c.chunk > 0 {
		c.inside = int64(c.Document / c.chunk)
	}
	return nil
}

// ended is the posting of a cursor that has none any more.
type ended struct{ segment.Posting }

// Frequency is how often the document has the term.
func (c *Cursor) Frequency() uint64 { return c.posting.Frequency() }

// Norm is the inverse square root of the number of words in the field of the document, as bleve keeps it.
func (c *Cursor) Norm() float64 { return c.posting.Norm() }

// Locations are where the document has the term. They are good until the cursor is moved.
func (c *Cursor) Locations() []segment.Location { return c.posting.Locations() }
