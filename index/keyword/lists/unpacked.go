package lists

import (
	"cmp"
	"context"
	"errors"
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
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		made, err := l.readStored(ctx)
		if errors.Is(err, errNotStored) {
			made, err = l.readPostings(ctx)
		}
		if err == nil {
			l.of.unpacked.Put(key, made, made.bytes())
		}
		return made, err
	})
}

// readPostings reads the list by bleve's iterator.
func (l *List) readPostings(ctx context.Context) (u *unpacked, err error) {
	defer func() {
		// bleve panics on some damaged files.
		if problem := recover(); problem != nil {
			u, err = nil, fmt.Errorf("read the list of %q: %v", l.term, problem)
		}
	}()
	r, c := newUnpacking(l), l.cursor(false)
	for number := 1; ; number++ {
		if err := c.Next(); err != nil {
			return nil, err
		}
		if c.Document == End {
			return r.done(), nil
		}
		frequency, length := c.posting.Frequency(), lengthOf(c.posting)
		class, met := r.met(frequency, length)
		if !met {
			class = r.add(frequency, length, c.posting.Norm())
		}
		r.put(c.Document, class)
		if number%BlockDocuments == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// unpacking is a list that is being unpacked, with classes in the order in which they are met.
type unpacking struct {
	unpacked
	blocks  uint64
	scoring Scoring
	numbers map[[2]uint64]uint32 // the class of a frequency and of what stands for a norm
	last    [rememberedScores]struct {
		frequency, length uint64
		class             uint32
	}
}

func newUnpacking(l *List) *unpacking {
	blocks := (l.documents + BlockDocuments - 1) / BlockDocuments
	return &unpacking{
		unpacked: unpacked{postings: make([]uint32, 0, l.count), starts: make([]uint32, 1, blocks+1)}, blocks: blocks,
		scoring: Scoring{IDF: 1, Weight: 1, Average: l.average}, numbers: map[[2]uint64]uint32{},
	}
}

// met is the class of documents that have the term so often, in a field for whose norm a number stands, where there is one.
func (r *unpacking) met(frequency, length uint64) (class uint32, met bool) {
	known := &r.last[(frequency<<2^length)%rememberedScores]
	if known.class != 0 && known.frequency == frequency && known.length == length {
		return known.class, true
	}
	if class, met = r.numbers[[2]uint64{frequency, length}]; met {
		known.frequency, known.length, known.class = frequency, length, class
	}
	return class, met
}

// add makes a class.
func (r *unpacking) add(frequency, length uint64, norm float64) (class uint32) {
	r.like = append(r.like, occurrence{frequency, norm, r.scoring.score(frequency, norm)})
	class = uint32(len(r.like))
	r.numbers[[2]uint64{frequency, length}] = class
	return class
}

// put adds a document, which comes after those before.
func (r *unpacking) put(document uint64, class uint32) {
	r.endBlocks(document / BlockDocuments)
	r.postings = append(r.postings, uint32(document%BlockDocuments)<<classBits|class)
}

// endBlocks ends all blocks before one.
func (r *unpacking) endBlocks(block uint64) {
	for uint64(len(r.starts)) <= block {
		r.starts = append(r.starts, uint32(len(r.postings)))
	}
}

// done numbers the classes by their scores, and finds the greatest of each block.
func (r *unpacking) done() *unpacked {
	r.endBlocks(r.blocks)
	u := &r.unpacked
	like := slices.Clone(u.like)
	slices.SortFunc(u.like, compareOccurrences)
	numbers := make([]uint32, len(like)+1)
	for class, one := range like {
		place, _ := slices.BinarySearchFunc(u.like, one, compareOccurrences)
		numbers[class+1] = uint32(place + 1)
	}
	u.most = make([]uint32, r.blocks)
	for block := range u.most {
		for i, posting := range u.block(uint64(block)) {
			class := numbers[posting&classMask]
			u.postings[int(u.starts[block])+i] = posting&^classMask | class
			u.most[block] = max(u.most[block], class)
		}
	}
	made := *u // and not what it was made with
	return &made
}
