package vector

import "fmt"

// Options are the settings of an Index.
type Options struct {
	// Width is the number of values of a vector, 1 to 65,536.
	Width int
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	if o.Width <= 0 || o.Width > maximumWidth {
		return fmt.Errorf("vector index: width %d is not in 1 to %d", o.Width, maximumWidth)
	}
	return nil
}

// Index holds groups of vectors and finds those nearest to a query, exactly: it
// gives what Exact gives. Its methods are for one goroutine at a time; the views
// that it hands out are for any number, also while the index changes.
type Index struct {
	width, stride int
	kernel        kernel
	content       content
	where         map[uint64]int // the number of a group's entry
}

// content is what an index and its views share. Chunks grow only behind what a view
// knows of them, and tombstones are copied when changed.
type content struct {
	sealed  []*chunk
	last    chunk
	entries int
	dead    tombstones
}

// chunk is a stretch of rows that the kernels read at once.
type chunk struct {
	first   int // the number of its first entry
	codes   []byte
	rows    []rowCode
	entries []entry
}

// entry is a group as it was added.
type entry struct {
	group  uint64
	row    int       // its first in the chunk
	values []float32 // as given, for exact scores
}

// chunkBytes is the size of a chunk's codes: what the second-level cache holds
// while several queries go over it.
const chunkBytes = 256 << 10

// fewTombstones is the number of removed entries that are not worth a rebuild.
const fewTombstones = 1024

// New gives an empty index.
func New(options Options) (*Index, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	return &Index{
		width: options.Width, stride: strideOf(options.Width), kernel: kernels()[0], where: map[uint64]int{},
	}, nil
}

// Add puts in a group's vectors, row after row, in place of those it has. The slice
// is kept and must not change. An error wraps ErrVectors and changes nothing.
func (x *Index) Add(group uint64, vectors []float32) error {
	if err := checkRows(vectors, x.width); err != nil {
		return err
	}
	x.Remove(group)
	x.add(group, vectors)
	return nil
}

func (x *Index) add(group uint64, vectors []float32) {
	count := len(vectors) / x.width
	x.makeRoom(count)
	last := &x.content.last
	x.where[group] = x.content.entries
	last.entries = append(last.entries, entry{group: group, row: len(last.rows), values: vectors})
	for row := range count {
		start := len(last.codes)
		last.codes = last.codes[:start+x.stride] // zero beyond the width since made
		last.rows = append(last.rows, newRowCode(last.codes[start:], vectors[row*x.width:(row+1)*x.width]))
	}
	x.content.entries++
}

// makeRoom begins a chunk if the last has no room for a group's rows.
func (x *Index) makeRoom(rows int) {
	last := &x.content.last
	if len(last.codes)+rows*x.stride <= cap(last.codes) {
		return
	}
	if len(last.entries) > 0 {
		full := *last
		x.content.sealed = append(x.content.sealed, &full)
	}
	room := max(rows, chunkBytes/x.stride)
	*last = chunk{
		first: x.content.entries,
		codes: make([]byte, 0, room*x.stride),
		rows:  make([]rowCode, 0, room),
	}
}

// Remove takes a group out, if it is there.
func (x *Index) Remove(group uint64) {
	number, there := x.where[group]
	if !there {
		return
	}
	delete(x.where, group)
	x.content.dead = x.content.dead.with(number)
	if dead := x.content.dead.count; dead > fewTombstones && dead > x.content.entries/2 {
		x.rebuild()
	}
}

// rebuild leaves out removed entries.
func (x *Index) rebuild() {
	old := x.content
	x.content = content{}
	for _, chunk := range old.chunks() {
		for i, entry := range chunk.entries {
			if !old.dead.has(chunk.first + i) {
				x.add(entry.group, entry.values)
			}
		}
	}
}

// View gives the current content; it never changes.
func (x *Index) View() *View {
	return &View{width: x.width, stride: x.stride, kernel: x.kernel, content: x.content}
}

// chunks lists all chunks.
func (c *content) chunks() []*chunk {
	return append(c.sealed[:len(c.sealed):len(c.sealed)], &c.last)
}

// tombstones is an immutable set of entry numbers.
type tombstones struct {
	pages []*tombstonePage
	count int
}

// tombstonePage has a bit for each of 4,096 entries.
type tombstonePage [64]uint64

func (t tombstones) has(number int) bool {
	page := number >> 12
	return page < len(t.pages) && t.pages[page] != nil && t.pages[page][number>>6&63]>>(number&63)&1 == 1
}

// with is the set with one more number, which it does not have.
func (t tombstones) with(number int) tombstones {
	page := number >> 12
	pages := make([]*tombstonePage, max(len(t.pages), page+1))
	copy(pages, t.pages)
	fresh := &tombstonePage{}
	if pages[page] != nil {
		*fresh = *pages[page]
	}
	fresh[number>>6&63] |= 1 << (number & 63)
	pages[page] = fresh
	return tombstones{pages, t.count + 1}
}
