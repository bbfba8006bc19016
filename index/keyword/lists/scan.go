package lists

import (
	"cmp"
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// Term is a word that is looked for in a field.
type Term struct {
	Lists   []*List // by segment; nil where it has none
	Scoring Scoring
	// Common is true for one that nothing is looked for by alone.
	Common bool
}

// Best keeps the best documents of a search.
type Best interface {
	// Last is a document that as many are as good as, or better, as are wanted: those that score less are of no use, nor those that
	// score the same and have a greater ID. The score is zero until there are so many.
	Last() (score float64, id uint64)
	// Keep keeps a document if it is among the best so far.
	Keep(segment int, document, id uint64, score float64)
}

// Offer gives best the documents of all segments that may be among them, in which some terms are: only those with a term that is
// not common, where only rare ones are wanted. Scores are added in the order of the terms. Allowed are the documents of each
// segment that are wanted, nil for all.
func Offer(ctx context.Context, segments []Segment, allowed []*roaring.Bitmap, terms []*Term, rare bool, best Best) error {
	scans := make([]*scan, len(segments))
	var long []*List
	sums := new([BlockDocuments]float64)
	for number := range segments {
		s := newScan(segments, number, terms, rare, best)
		s.sums = sums
		if allowed != nil {
			s.allowed = allowed[number]
		}
		scans[number], long = s, append(long, s.long()...)
	}
	if err := unpackAll(ctx, long); err != nil {
		return err
	}
	for _, s := range scans {
		if err := s.run(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// scan goes through a segment. It is MaxScore, as package keyword explains, and in each block of documents once more with the bounds
// of that block, which pass most of a frequent word's by (Ding and Suel, Faster Top-k Document Retrieval Using Block-Max Indexes,
// 2011).
type scan struct {
	segment *Segment
	number  int             // of the segment
	allowed *roaring.Bitmap // nil: all are
	// following are those of the allowed documents that come.
	following roaring.IntPeekable
	best      Best
	// least is the score of the last of the best, and last its ID.
	least   float64
	last    uint64
	inOrder []*scored
	// byBound are the cursors with those of common terms first if they are left, then by bound; bounds[i] is the sum of the
	// first i bounds, and inBlock[i] that of their bounds in the present block.
	byBound         []*scored
	bounds, inBlock []float64
	passed          int                      // cursors that no document is found by alone
	sums            *[BlockDocuments]float64 // of the documents of a block, for all scans
}

// scored is a cursor of a term.
type scored struct {
	*Cursor
	term *Term
	most float64 // no document of the present block has more for it
}

func newScan(segments []Segment, number int, terms []*Term, rare bool, best Best) *scan {
	s := &scan{segment: &segments[number], number: number, best: best}
	for _, one := range terms {
		if one.Lists[number] != nil {
			s.inOrder = append(s.inOrder, &scored{term: one})
		}
	}
	s.byBound = slices.Clone(s.inOrder)
	slices.SortStableFunc(s.byBound, func(a, b *scored) int {
		if rare && a.term.Common != b.term.Common {
			if a.term.Common {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.term.Scoring.Bound, b.term.Scoring.Bound)
	})
	s.bounds, s.inBlock = make([]float64, len(s.byBound)+1), make([]float64, len(s.byBound)+1)
	for i, c := range s.byBound {
		s.bounds[i+1] = s.bounds[i] + c.term.Scoring.Bound
		if rare && c.term.Common {
			s.passed = i + 1
		}
	}
	s.look()
	return s
}

// look finds out what scores are of use by now, and how many cursors there are that no document among the best is found by alone.
func (s *scan) look() {
	s.least, s.last = s.best.Last()
	for s.passed < len(s.byBound) && s.bounds[s.passed+1] < s.least {
		s.passed++
	}
}

// long are the lists that are gone through, and those that are not much longer: to go to each document of these takes longer than
// to unpack them.
func (s *scan) long() (found []*List) {
	through := uint64(0)
	for _, c := range s.byBound[s.passed:] {
		through += c.term.Lists[s.number].count
	}
	for i, c := range s.byBound {
		if list := c.term.Lists[s.number]; list.long() && (i >= s.passed || list.count <= longerUnpacked*through) {
			found = append(found, list)
		}
	}
	return found
}

func (s *scan) run(ctx context.Context) error {
	s.look() // other segments may have had better ones
	for i, c := range s.byBound {
		c.Cursor = c.term.Lists[s.number].scored(&c.term.Scoring)
		if i >= s.passed {
			if err := c.Next(); err != nil {
				return err
			}
		}
	}
	for ctx.Err() == nil {
		document := s.first(s.passed)
		if document = s.firstAllowed(document); document == End {
			return nil
		}
		block := document / BlockDocuments
		for _, c := range s.byBound[s.passed:] { // those before it are at documents that are not allowed
			if err := c.Advance(block * BlockDocuments); err != nil {
				return err
			}
		}
		if err := s.goThrough(block); err != nil {
			return err
		}
		for _, c := range s.byBound[s.passed:] {
			if err := c.Advance((block + 1) * BlockDocuments); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// first is the first document that a cursor is at, those before from aside.
func (s *scan) first(from int) uint64 {
	document := uint64(End)
	for _, c := range s.byBound[from:] {
		document = min(document, c.Document)
	}
	return document
}

// firstAllowed is the first document from one on that is allowed.
func (s *scan) firstAllowed(from uint64) uint64 {
	if s.allowed == nil || from == End {
		return from
	}
	if s.following == nil {
		s.following = s.allowed.Iterator()
	}
	if s.following.AdvanceIfNeeded(uint32(from)); !s.following.HasNext() {
		return End
	}
	return uint64(s.following.PeekNext())
}

// goThrough offers the documents of a block that may be among the best.
func (s *scan) goThrough(block uint64) error {
	for i, c := range s.byBound {
		c.most = c.mostIn(block)
		s.inBlock[i+1] = s.inBlock[i] + c.most
	}
	if possible, err := s.possible(block); err != nil || !possible {
		return err
	}
	const rounding = 1 + 1e-9 // scores are added in another order in the end
	passed := s.passed
	pass := func() {
		for passed < len(s.byBound) && s.inBlock[passed+1]*rounding < s.least {
			passed++
		}
	}
	pass()
	if s.summable(passed, block) {
		return s.sum(block)
	}
	for end := (block + 1) * BlockDocuments; ; pass() {
		document := s.first(passed)
		if document >= end {
			return nil
		}
		if err := s.offer(document, passed); err != nil {
			return err
		}
		for _, c := range s.byBound[passed:] {
			if c.Document == document {
				if err := c.Next(); err != nil {
					return err
				}
			}
		}
	}
}

// possible reports whether a document of the block may be among the best. Sums of greater numbers in the same order are greater,
// or the same, so that a document's score is at most that of a document that is the best for every term.
func (s *scan) possible(block uint64) (bool, error) {
	most := 0.0
	for _, c := range s.inOrder {
		most += c.most
	}
	if most != s.least || s.least == 0 {
		return most >= s.least, nil
	}
	id, err := s.segment.LeastID(block)
	return id <= s.last, err // the others are as good as the last of the best, and come after it
}

// summable reports whether the scores of a whole block are best added list by list: where those that are gone through have many
// documents in it, and the others have been unpacked and have not many times as many.
func (s *scan) summable(passed int, block uint64) bool {
	through, all := 0, 0
	for i, c := range s.byBound {
		if c.list == nil {
			if i < passed {
				return false
			}
			continue
		}
		here := int(c.list.starts[block+1] - c.list.starts[block])
		if all += here; i >= passed {
			through += here
		}
	}
	return all+BlockDocuments/2 < singly*(passed+1)*through
}

// sum is goThrough for all documents of the block at once. What a document has not adds nothing, so that sums are the same to the
// bit.
func (s *scan) sum(block uint64) error {
	start := block * BlockDocuments
	sums := s.sums
	clear(sums[:])
	for _, c := range s.inOrder {
		if c.list != nil {
			for _, posting := range c.list.block(block) {
				sums[posting>>classBits] += c.scores[posting&classMask]
			}
			continue
		}
		for c.Document < start+BlockDocuments {
			sums[c.Document-start] += c.Score()
			if err := c.Next(); err != nil {
				return err
			}
		}
	}
	for i, score := range sums {
		if score > s.least || score == s.least && score > 0 && s.segment.knownLeast(block) <= s.last {
			if document := start + uint64(i); s.wanted(document) {
				if err := s.keep(document, score); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// offer gives best a document if it may be among them, which cursors from passed on are at, or none before it.
func (s *scan) offer(document uint64, passed int) error {
	if !s.wanted(document) {
		return nil
	}
	score := 0.0
	for _, c := range s.byBound[passed:] {
		if c.Document == document {
			score += c.Score()
		}
	}
	const rounding = 1 + 1e-9 // scores are added in another order in the end
	for i := passed; i > 0; i-- {
		if (score+s.inBlock[i])*rounding < s.least {
			return nil
		}
		c := s.byBound[i-1]
		if err := c.Advance(document); err != nil {
			return err
		}
		if c.Document == document {
			score += c.Score()
		}
	}
	score = 0
	for _, c := range s.inOrder {
		if c.Document == document {
			score += c.Score()
		}
	}
	if score < s.least {
		return nil
	}
	return s.keep(document, score)
}

// wanted reports whether a document is there and passes.
func (s *scan) wanted(document uint64) bool {
	return !s.segment.Deleted(document) && (s.allowed == nil || s.allowed.Contains(uint32(document)))
}

// keep gives best a document with its score.
func (s *scan) keep(document uint64, score float64) error {
	id, err := s.segment.ID(document)
	if err == nil {
		s.best.Keep(s.number, document, id, score)
		s.look()
	}
	return err
}
