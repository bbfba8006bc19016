package vector

import (
	"errors"
	"fmt"
	"io"

	"mekiki/index/vector/lists"
	"mekiki/index/vector/quantized"
	"mekiki/internal/bitset"
)

// savedList says which list of a file has the codes of an inverted list's first postings.
type savedList struct {
	file   *lists.File
	number int
	groups []uint64 // of the saved postings
}

// passing appends the places of those postings whose groups pass a filter; the list need not be read where there are none.
func (l *invertedList) passing(places []int32, of *content, allow bitset.Set) []int32 {
	for place, group := range l.saved.groups {
		if allow.Has(group) {
			places = append(places, int32(place))
		}
	}
	for place := len(l.saved.groups); place < len(l.postings); place++ {
		if entry, _ := of.at(l.postings[place]); allow.Has(entry.group) {
			places = append(places, int32(place))
		}
	}
	return places
}

// allCodes gives the codes of all postings, which must not change. They may lie in the buffer, or in a larger one in its place.
func (l *invertedList) allCodes(buffer *[]byte) ([]byte, error) {
	codes, err := l.saved.file.Codes(l.saved.number, buffer)
	if err == nil && len(l.codes) > 0 {
		*buffer = append(append((*buffer)[:0], codes...), l.codes...)
		codes = *buffer
	}
	return codes, err
}

// inMemory gives the list with all codes in memory.
func (l *invertedList) inMemory() (*invertedList, error) {
	if l.saved == nil {
		return l, nil
	}
	codes, err := l.allCodes(new([]byte))
	return &invertedList{codeTable{codes, l.scales}, l.postings, nil}, err
}

// save implements proposer: it writes the lists without the postings of removed entries.
func (f *ivf) save(v *View, w io.Writer) error {
	to, err := lists.NewWriter(w, v.width, v.stride)
	var buffer, codes []byte
	var postings []lists.Posting
	for number, list := range f.lists {
		from := list.codes
		if err == nil && list.saved != nil {
			from, err = list.allCodes(&buffer)
		}
		if err != nil {
			break
		}
		codes, postings = codes[:0], postings[:0]
		for i, at := range list.postings {
			if at == nowhere {
				continue
			}
			entry, entryNumber := v.content.at(at)
			if v.content.removed.Has(entryNumber) {
				continue
			}
			postings = append(postings, lists.Posting{Group: entry.group, Sum: v.content.fingerprint(at, v.stride), Scale: list.scales[i]})
			codes = append(codes, from[i*v.stride:(i+1)*v.stride]...)
		}
		err = to.Add(f.centroids.row(number, v.stride), f.centroids.scales[number], postings, codes)
	}
	if err == nil {
		err = to.Finish()
	}
	if err != nil {
		return fmt.Errorf("save inverted lists: %w", err)
	}
	return nil
}

// Damaged reports whether the view has inverted lists in a file, and read something there that was
// not as it was written. Its searches that come to that are exact.
func (v *View) Damaged() bool {
	f, ok := v.proposer.(*ivf)
	return ok && f.file != nil && f.file.Damaged()
}

// Forget lets go of the graph or the inverted lists, so that they are built again.
func (x *Index) Forget() { x.finder, x.content.listed = nil, 0 }

// LoadFile is Load of a file of size bytes, whose codes of inverted lists stay there: where it reports
// true, the file has to stay open for as long as the index and its views are used.
func (x *Index) LoadFile(file io.ReaderAt, size int64) (loaded Loaded, keep bool, err error) {
	if x.Method() != IVF {
		loaded, err = x.Load(io.NewSectionReader(file, 0, size))
		return loaded, false, err
	}
	opened, err := lists.Open(file, size, x.width, x.stride)
	var found *ivf
	var listed []bool
	if err == nil {
		found, listed, loaded, err = x.restoreLists(opened)
	}
	if err != nil {
		if errors.Is(err, lists.ErrDamaged) {
			err = fmt.Errorf("%w: %w", ErrSaved, err)
		}
		return Loaded{}, false, fmt.Errorf("load inverted lists: %w", err)
	}
	missing := x.content.entries - x.content.removed.Count() - loaded.Groups
	if missing > loaded.Groups || loaded.Ignored > found.postings/2 || len(found.lists) == 0 {
		return Loaded{Inserted: missing + loaded.Groups, Ignored: loaded.Ignored}, false, nil
	}
	loaded.Inserted = missing
	x.finder, x.method = found, IVF
	x.insertFrom(0, func(number int) bool { return listed[number] })
	x.content.listed = x.content.entries
	return loaded, true, nil
}

// restoreLists reads the postings of a file, and tells the entries that have any.
func (x *Index) restoreLists(from *lists.File) (*ivf, []bool, Loaded, error) {
	var loaded Loaded
	// A library that has shrunk since is built anew rather than read.
	if most := 4*x.content.rows + 1024; from.AllPostings() > most || from.Len() > most {
		return nil, nil, loaded, fmt.Errorf("%w: %d postings for %d vectors", ErrSaved, from.AllPostings(), x.content.rows)
	}
	f := &ivf{inserter: newInserter(x.width, x.kernel), file: from, lists: make([]*invertedList, 0, from.Len())}
	listed := make([]bool, x.content.entries)
	scales, postings, groups := make([]float32, from.AllPostings()), make([]location, from.AllPostings()), make([]uint64, from.AllPostings())
	made := make([]invertedList, from.Len())
	var buffer []byte
	for number := range from.Len() {
		count := from.Count(number)
		list := &made[number]
		list.scales, list.postings, list.saved = scales[:count:count], postings[:count:count], &savedList{from, number, groups[:count:count]}
		scales, postings, groups = scales[count:], postings[count:], groups[count:]
		var err error
		buffer, err = from.Postings(number, buffer, func(place int, p lists.Posting) {
			list.scales[place], list.postings[place] = p.Scale, x.restorePosting(p, listed, &loaded)
			list.saved.groups[place] = p.Group
		})
		centroid, scale := from.Centroid(number)
		if err == nil && !quantized.IsFinite(scale) {
			err = fmt.Errorf("%w: a scale is no number", ErrSaved)
		}
		if err != nil {
			return nil, nil, loaded, fmt.Errorf("list %d of %d: %w", number, from.Len(), err)
		}
		if count == 0 {
			continue
		}
		f.lists = append(f.lists, list)
		f.postings += count
		f.centroids.codes = append(f.centroids.codes, centroid...)
		f.centroids.scales = append(f.centroids.scales, scale)
	}
	f.groups = loaded.Groups
	return f, listed, loaded, nil
}

// restorePosting gives the entry of a saved posting; nowhere if the index does not have its group, or not with the
// same vectors.
func (x *Index) restorePosting(p lists.Posting, listed []bool, loaded *Loaded) location {
	if number, found := x.numbers.Get(p.Group); found && quantized.IsFinite(p.Scale) {
		at := x.content.find(number)
		if !listed[number] && x.content.fingerprint(at, x.stride) == p.Sum {
			listed[number] = true
			loaded.Groups++
		}
		if listed[number] {
			return at
		}
	}
	loaded.Ignored++
	return nowhere
}
