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

	scoring *Scoring // nil where no scores are asked for
	// Of an unpacked list, where the cursor is in its postings, and the scores of its classes. list is nil for others.
	list         *unpacked
	at           int
	scores, most []float64

	postings segment.PostingsIterator
	posting  segment.Posting // nil before the first
	// Of bleve's present lists it is known how they are read: in chunks of so many documents, zero where it is not. inside is
	// that of the last document, -1 for none.
	inChunks *zap.PostingsIterator
	chunk    uint64
	inside   int64
	// remembered are the scores of the last documents that differed in frequency or length.
	remembered [rememberedScores]struct {
		frequency, length uint64
		score             float64
	}
}

// Places begins to go through the list, and finds out where documents have the term.
func (l *List) Places() *Cursor { return l.cursor(true) }

// scored begins to go through the list, and scores its documents. What it was unpacked to is made use of.
func (l *List) scored(scoring *Scoring) *Cursor {
	if l.long() && l.find() {
		c := &Cursor{scoring: scoring, list: l.unpacked, at: -1}
		c.scores, c.most = l.unpacked.score(scoring)
		return c
	}
	c := l.cursor(false)
	c.scoring = scoring
	return c
}

func (l *List) cursor(places bool) *Cursor {
	c := &Cursor{postings: l.postings.Iterator(true, true, places, nil), inside: -1}
	if postings, present := c.postings.(*zap.PostingsIterator); present && postings.ActualBM != nil {
		// As in zapx, for its DefaultChunkMode.
		c.inChunks, c.chunk = postings, l.documents/(l.count/chunkPostings+1)
	}
	return c
}

// Next moves the cursor to the next document.
func (c *Cursor) Next() error {
	if c.list != nil {
		c.moveTo(c.at+1, c.Document/BlockDocuments)
		return nil
	}
	return c.take(c.postings.Next())
}

// Advance moves the cursor to a document, or the next that the list has, unless it is there or beyond.
func (c *Cursor) Advance(document uint64) error {
	if c.list != nil {
		if c.at < 0 || c.Document < document {
			c.seek(document)
		}
		return nil
	}
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

// seek moves the cursor of an unpacked list to a document, or the next.
func (c *Cursor) seek(document uint64) {
	block := document / BlockDocuments
	if block >= uint64(len(c.list.most)) {
		c.moveTo(len(c.list.postings), block)
		return
	}
	wanted := uint32(document%BlockDocuments) << classBits
	from, end := max(c.at, int(c.list.starts[block])), int(c.list.starts[block+1])
	for from < end { // from is at most the place of the document, and end at least
		if middle := int(uint(from+end) / 2); c.list.postings[middle] < wanted {
			from = middle + 1
		} else {
			end = middle
		}
	}
	c.moveTo(from, block)
}

// moveTo moves the cursor of an unpacked list to a posting, which is in a block or a later one.
func (c *Cursor) moveTo(at int, block uint64) {
	if c.at = at; at >= len(c.list.postings) {
		c.Document = End
		return
	}
	for at >= int(c.list.starts[block+1]) {
		block++
	}
	c.Document = block*BlockDocuments + uint64(c.list.postings[at]>>classBits)
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

// Score is that of the document that the cursor is at.
func (c *Cursor) Score() float64 {
	if c.list != nil {
		return c.scores[c.list.postings[c.at]&classMask]
	}
	frequency, length := c.posting.Frequency(), lengthOf(c.posting)
	known := &c.remembered[(frequency<<2^length)%rememberedScores]
	if known.frequency != frequency || known.length != length {
		known.frequency, known.length, known.score = frequency, length, c.scoring.score(frequency, c.posting.Norm())
	}
	return known.score
}

// lengthOf is a number that stands for the norm of a document, which is the inverse square root of the number of words in its
// field. zapx keeps that number, and works the norm out.
func lengthOf(posting segment.Posting) uint64 {
	if one, present := posting.(*zap.Posting); present {
		return one.NormUint64()
	}
	return math.Float64bits(posting.Norm())
}

// mostIn is a score that no document has more than in a block: where the list was unpacked it is the greatest that there is, to the
// bit.
func (c *Cursor) mostIn(block uint64) float64 {
	switch {
	case c.list != nil:
		return c.most[c.list.most[block]]
	case c.Document >= (block+1)*BlockDocuments: // there is none between the last document and this one
		return 0
	}
	return c.scoring.Bound
}

// Locations are where the document has the term. They are good until the cursor is moved.
func (c *Cursor) Locations() []segment.Location { return c.posting.Locations() }
