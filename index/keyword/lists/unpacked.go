package lists

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"mekiki/internal/flight"
)

// unpacked is a long list in a form that is gone through many times as fast. bleve's lists have no bounds of scores: with those of
// blocks most documents are not looked at at all.
type unpacked struct {
	// postings are the documents that have the term: the place in its block of documents in the upper bits of each, and in the lower
	// ones the class of documents that are alike for the term.
	postings []uint32
	// starts are where the postings of each block begin, and at last where all end; most is the greatest class of each, 0 where
	// none has the term. Documents of a greater class score more.
	starts, most []uint32
	// like are, from class 1 on, how often and with which norm a document has the term.
	like []occurrence
}

// classBits are the bits of a posting that say the class. With the places in a block they fill 32.
const (
	classBits = 22
	classMask = 1<<classBits - 1
)

// occurrence is how a document has a term.
type occurrence struct {
	frequency uint64
	norm      float64
	rank      float64 // its score, for an inverse document frequency of 1
}

// compareOccurrences orders them by score.
func compareOccurrences(a, b occurrence) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.frequency, b.frequency), cmp.Compare(a.norm, b.norm))
}

// score works out the scores of all classes, and for each the greatest of all classes up to it.
func (u *unpacked) score(scoring *Scoring) (scores, most []float64) {
	scores, most = make([]float64, len(u.like)+1), make([]float64, len(u.like)+1)
	for i, one := range u.like {
		scores[i+1] = scoring.score(one.frequency, one.norm)
		// Classes are in order; where two score almost the same, rounding may change it.
		most[i+1] = max(most[i], scores[i+1])
	}
	return scores, most
}

// block gives the postings of a block.
func (u *unpacked) block(number uint64) []uint32 {
	return u.postings[u.starts[number]:u.starts[number+1]]
}

// bytes is the memory that it takes, about.
func (u *unpacked) bytes() int64 {
	return int64(4*(len(u.postings)+len(u.starts)+len(u.most))+24*len(u.like)) + 256
}

// unpackedKey is what unpacked lists are kept by.
type unpackedKey struct {
	of          *shared
	field, term string
}

// long reports whether it is worth it to unpack the list, and whether there is room: one takes a quarter of it at most, so that
// there are fewer classes than numbers for them.
func (l *List) long() bool {
	return l.count >= leastUnpacked && l.count*leastShare >= l.documents && 4*l.count < min(mostUnpacked/4, 4<<classBits)
}

// find looks for what the list was unpacked to before, and reports whether it was.
func (l *List) find() bool {
	if l.unpacked == nil {
		l.unpacked, _ = l.of.unpacked.Get(unpackedKey{l.of, l.field, l.term})
	}
	return l.unpacked != nil
}

// unpackAll has lists that are long unpacked, as many as may be kept. Whoever else wants the same one waits. It works in as many
// goroutines as there are processors.
func unpackAll(ctx context.Context, lists []*List) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	bytes := uint64(0)
	for _, one := range lists {
		if bytes += 4 * one.count; bytes <= mostUnpacked && !one.find() {
			group.Go(func() (err error) {
				one.unpacked, err = one.unpack(ctx)
				return err
			})
		}
	}
	return group.Wait()
}

// unpack gives what the list is unpacked to, and keeps it.
func (l *List) unpack(ctx context.Context) (*unpacked, error) {
	return flight.Do(ctx, &l.of.unpacking, l.field+"\x00"+l.term, func() (*unpacked, error) {
		key := unpackedKey{l.of, l.field, l.term}
		if made, known := l.of.unpacked.Get(key); known {
			return made, nil
		}
		made, err := l.read(ctx, min(runtime.GOMAXPROCS(0), int(l.count/piecePostings)+1))
		if err == nil {
			l.of.unpacked.Put(key, made, made.bytes())
		}
		return made, err
	})
}

// read reads the list in so many pieces.
func (l *List) read(ctx context.Context, number int) (*unpacked, error) {
	blocks := (l.documents + BlockDocuments - 1) / BlockDocuments
	pieces := make([]piece, number)
	group, ctx := errgroup.WithContext(ctx)
	for i := range pieces {
		one := &pieces[i]
		one.first, one.end = uint64(i)*blocks/uint64(number), uint64(i+1)*blocks/uint64(number)
		one.numbers = map[[2]uint64]uint32{}
		one.unpacked = unpacked{postings: make([]uint32, 0, l.count/uint64(number)+BlockDocuments)}
		group.Go(func() (err error) {
			defer func() {
				// bleve panics on some damaged files.
				if problem := recover(); problem != nil {
					err = fmt.Errorf("read the list of %q: %v", l.term, problem)
				}
			}()
			return one.read(ctx, l)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return join(pieces), nil
}

// piece is some blocks of a list that one goroutine unpacks, with classes of its own, in the order in which it met them.
type piece struct {
	unpacked
	first, end uint64               // blocks
	numbers    map[[2]uint64]uint32 // the class of a frequency and of what stands for a norm
	last       [rememberedScores]struct {
		frequency, length uint64
		class             uint32
	}
}

// read reads the documents of the piece.
func (p *piece) read(ctx context.Context, l *List) error {
	c := l.cursor(false)
	c.scoring = &Scoring{IDF: 1, Weight: 1, Average: l.average}
	if err := c.Advance(p.first * BlockDocuments); err != nil {
		return err
	}
	for block := p.first; block < p.end; block++ {
		p.starts = append(p.starts, uint32(len(p.postings)))
		for start := block * BlockDocuments; c.Document < start+BlockDocuments; {
			p.postings = append(p.postings, uint32(c.Document-start)<<classBits|p.classOf(c))
			if err := c.Next(); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// classOf is the class of the document that a cursor is at.
func (p *piece) classOf(c *Cursor) uint32 {
	frequency, length := c.posting.Frequency(), lengthOf(c.posting)
	known := &p.last[(frequency<<2^length)%rememberedScores]
	if known.class != 0 && known.frequency == frequency && known.length == length {
		return known.class
	}
	class, met := p.numbers[[2]uint64{frequency, length}]
	if !met {
		norm := c.posting.Norm()
		p.like = append(p.like, occurrence{frequency, norm, c.scoring.score(frequency, norm)})
		class = uint32(len(p.like))
		p.numbers[[2]uint64{frequency, length}] = class
	}
	known.frequency, known.length, known.class = frequency, length, class
	return class
}

// join puts pieces together, with classes numbered by their scores.
func join(pieces []piece) *unpacked {
	u, count := &unpacked{}, 0
	for i := range pieces {
		u.like = append(u.like, pieces[i].like...)
		count += len(pieces[i].postings)
	}
	slices.SortFunc(u.like, compareOccurrences)
	u.like = slices.Compact(u.like)
	u.postings = make([]uint32, 0, count)
	for i := range pieces {
		numbers := make([]uint32, len(pieces[i].like)+1)
		for class, one := range pieces[i].like {
			place, _ := slices.BinarySearchFunc(u.like, one, compareOccurrences)
			numbers[class+1] = uint32(place + 1)
		}
		pieces[i].starts = append(pieces[i].starts, uint32(len(pieces[i].postings)))
		for block := range pieces[i].end - pieces[i].first {
			most := uint32(0)
			u.starts = append(u.starts, uint32(len(u.postings)))
			for _, posting := range pieces[i].block(block) {
				class := numbers[posting&classMask]
				u.postings = append(u.postings, posting&^classMask|class)
				most = max(most, class)
			}
			u.most = append(u.most, most)
		}
	}
	u.starts = append(u.starts, uint32(count))
	return u
}
