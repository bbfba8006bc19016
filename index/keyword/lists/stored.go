package lists

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/RoaringBitmap/roaring/v2"
	index "github.com/blevesearch/bleve_index_api"
	"github.com/blevesearch/vellum"
	zap "github.com/blevesearch/zapx/v17"
)

// errNotStored is that of a list that is not in a file in the form that is known.
var errNotStored = errors.New("the list is not in a file, or in another form")

// readStored reads the list out of its segment's file as zapx writes it: the numbers of all documents, and in the same order how
// often each has the term and in how long a field. zapx's own iterator takes several times as long. Whatever is not as it should
// be is an error, after which the iterator is asked.
func (l *List) readStored(ctx context.Context) (u *unpacked, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			u, err = nil, fmt.Errorf("%w: %v", errNotStored, problem)
		}
	}()
	postings, present := l.postings.Iterator(false, false, false, nil).(*zap.PostingsIterator)
	if !present || postings.ActualBM == nil {
		return nil, errNotStored
	}
	occurrences, err := l.stored()
	if err != nil {
		return nil, err
	}
	r := newUnpacking(l)
	if err := r.readStored(ctx, postings.ActualBM.ManyIterator(), &numbers{left: occurrences}); err != nil {
		return nil, err
	}
	return r.done(), nil
}

// stored finds how often documents of the list have its term, and in how long a field, in the file of its segment.
func (l *List) stored() ([]byte, error) {
	file, present := l.of.segment.(*zap.Segment)
	if !present || file.Version() != zap.Version || index.ReaderHook != nil {
		return nil, errNotStored
	}
	data := file.Data()
	dictionary, err := file.DictAddr(l.field)
	if err != nil || dictionary >= uint64(len(data)) {
		return nil, errors.Join(errNotStored, err)
	}
	terms := &numbers{left: data[dictionary:]}
	tree, err := vellum.Load(terms.bytes(terms.next()))
	if err != nil {
		return nil, errors.Join(errNotStored, err)
	}
	place, found, err := tree.Get([]byte(l.term))
	if err != nil || !found || place&zap.FSTValEncodingMask != zap.FSTValEncodingGeneral || place >= uint64(len(data)) {
		return nil, errors.Join(errNotStored, err)
	}
	list := &numbers{left: data[place:]}
	if place = list.next(); place == 0 || place >= uint64(len(data)) {
		return nil, errNotStored
	}
	chunks, length := &numbers{left: data[place:]}, uint64(0)
	for range min(chunks.next(), l.documents+1) {
		length = chunks.next() // where the chunk ends; they follow upon each other
	}
	if found := chunks.bytes(length); !terms.failed && !list.failed && !chunks.failed {
		return found, nil
	}
	return nil, errNotStored
}

// readStored reads all documents of a list.
func (r *unpacking) readStored(ctx context.Context, documents roaring.ManyIntIterable, occurrences *numbers) error {
	some := make([]uint32, BlockDocuments)
	for count := documents.NextMany(some); count > 0; count = documents.NextMany(some) {
		for _, document := range some[:count] {
			// The last bit says whether it is known where the document has the term.
			frequency, length := occurrences.next()>>1, occurrences.next()
			if frequency == 0 || uint64(document) >= r.blocks*BlockDocuments {
				return errNotStored
			}
			class, met := r.met(frequency, length)
			if !met {
				class = r.add(frequency, length, normOf(length))
			}
			r.put(uint64(document), class)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if occurrences.failed || len(occurrences.left) > 0 {
		return errNotStored
	}
	return nil
}

// normOf is the norm of a field of a length in words, as zapx works it out.
func normOf(length uint64) float64 {
	return float64(float32(1 / math.Sqrt(float64(uint32(length)))))
}

// numbers are read one after the other, in the form of binary.Uvarint.
type numbers struct {
	left   []byte
	failed bool // there was none
}

// next is the next number, 0 where there is none.
func (r *numbers) next() uint64 {
	if len(r.left) > 0 && r.left[0] < 0x80 {
		number := r.left[0]
		r.left = r.left[1:]
		return uint64(number)
	}
	number, read := binary.Uvarint(r.left)
	if read <= 0 {
		r.left, r.failed = nil, true
		return 0
	}
	r.left = r.left[read:]
	return number
}

// bytes are the next so many, none where there are not as many.
func (r *numbers) bytes(count uint64) []byte {
	if r.failed = r.failed || count > uint64(len(r.left)); r.failed {
		return nil
	}
	return r.left[:count]
}
