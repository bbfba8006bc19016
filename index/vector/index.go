package vector

import (
	"errors"
	"fmt"
	"sort"
)

// Options are the settings of an Index.
type Options struct {
	// Width is the number of values of a vector, 1 to 65,536.
	Width int
	// Method is how searches find; Automatic when empty.
	Method Method
	// Effort says how much an approximate search looks at: 2 is twice as much as
	// by default, for higher recall, and 0.5 half. 0 means 1.
	Effort float64
	// Threads is how many goroutines look at the vectors in an exact search without
	// a filter; 0 means 1.
	Threads int
	// Values gives a group's vectors again, those that were added, so that the
	// index need not keep them: at 256 values, an image of 32 parts then takes 9 KB
	// of memory instead of 42. It is called while searching, by any number of
	// goroutines; nil keeps them. A search that it fails for fails.
	Values func(group uint64) ([]float32, error)
}

// Method is how an index finds.
type Method string

const (
	// Automatic is exact for small indexes, and approximate from ApproximateFrom
	// vectors on.
	Automatic Method = "automatic"
	// ExactOnly always looks at every vector.
	ExactOnly Method = "exact"
	// Approximate never does.
	Approximate Method = "approximate"
)

// ApproximateFrom is the number of vectors from which an Automatic index searches
// approximately: below, looking at all of them takes a few milliseconds.
const ApproximateFrom = 320_000

func (o Options) withDefaults() Options {
	if o.Method == "" {
		o.Method = Automatic
	}
	if o.Effort == 0 {
		o.Effort = 1
	}
	return o
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	var problems []error
	if o.Width <= 0 || o.Width > maximumWidth {
		problems = append(problems, fmt.Errorf("vector index: width %d is not in 1 to %d", o.Width, maximumWidth))
	}
	switch o.Method {
	case "", Automatic, ExactOnly, Approximate:
	default:
		problems = append(problems, fmt.Errorf("vector index: method %q is none of %q, %q and %q", o.Method, Automatic, ExactOnly, Approximate))
	}
	if !(o.Effort >= 0 && o.Effort <= 1000) {
		problems = append(problems, fmt.Errorf("vector index: effort %g is not in 0 to 1000", o.Effort))
	}
	if o.Threads < 0 || o.Threads > 1024 {
		problems = append(problems, fmt.Errorf("vector index: %d threads are not in 0 to 1024", o.Threads))
	}
	return errors.Join(problems...)
}

// Index holds groups of vectors and finds those nearest to a query: exactly, as
// Exact does, or beyond a size approximately, see Options.Method. Its methods are for one goroutine at a time; the views
// that it hands out are for any number, also while the index changes.
type Index struct {
	width, stride int
	options       Options
	chunkRows     int
	kernel        kernel
	content       content
	cells         cells
	linking       *linking
	where         map[uint64]int // the number of a group's entry
	// deferring says that View does not build cells, and generation how often the
	// entries were numbered anew.
	deferring  bool
	generation int
}

// content is what an index and its views share. Chunks grow only behind what a view
// knows of them, and tombstones are copied when changed.
type content struct {
	sealed  []*chunk
	last    chunk
	entries int
	rows    int // of all entries, also of removed ones
	linked  int // entries that are in cells, or were removed before
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
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, err
	}
	return &Index{
		width: options.Width, stride: strideOf(options.Width), options: options, chunkRows: chunkBytes / strideOf(options.Width),
		kernel: kernels()[0], where: map[uint64]int{},
	}, nil
}

// Add puts in a group's vectors, row after row, in place of those it has. The slice
// is kept, unless Options.Values gives it again, and must not change. An error wraps ErrVectors and changes nothing.
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
	added := entry{group: group, row: len(last.rows)}
	if x.options.Values == nil {
		added.values = vectors
	}
	last.entries = append(last.entries, added)
	for row := range count {
		start := len(last.codes)
		last.codes = last.codes[:start+x.stride] // zero beyond the width since made
		last.rows = append(last.rows, newRowCode(last.codes[start:], vectors[row*x.width:(row+1)*x.width]))
	}
	x.content.entries++
	x.content.rows += count
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
	room := max(rows, x.chunkRows)
	*last = chunk{
		first: x.content.entries,
		codes: make([]byte, 0, room*x.stride),
		rows:  make([]rowCode, 0, room),
	}
}

// Release lets go of the vectors that the index keeps, which values gives again from
// now on; see Options.Values. Views that were handed out go on with those they have.
func (x *Index) Release(values func(group uint64) ([]float32, error)) {
	x.options.Values = values
	release := func(from chunk) *chunk {
		from.entries = append(make([]entry, 0, cap(from.entries)), from.entries...)
		for i := range from.entries {
			from.entries[i].values = nil
		}
		return &from
	}
	sealed := make([]*chunk, len(x.content.sealed))
	for i, full := range x.content.sealed {
		sealed[i] = release(*full)
	}
	x.content.sealed, x.content.last = sealed, *release(x.content.last)
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
	x.content, x.cells = content{}, cells{}
	x.generation++
	for _, chunk := range old.chunks() {
		for i, entry := range chunk.entries {
			if !old.dead.has(chunk.first + i) {
				x.copyEntry(chunk, i, entry)
			}
		}
	}
}

// copyEntry adds an entry of another content.
func (x *Index) copyEntry(from *chunk, slot int, e entry) {
	row, end := e.row, from.endRow(slot)
	x.makeRoom(end - row)
	last := &x.content.last
	x.where[e.group] = x.content.entries
	e.row = len(last.rows)
	last.entries = append(last.entries, e)
	last.codes = append(last.codes, from.codes[row*x.stride:end*x.stride]...)
	last.rows = append(last.rows, from.rows[row:end]...)
	x.content.entries++
	x.content.rows += end - row
}

// View gives the current content; it never changes.
func (x *Index) View() *View {
	x.link()
	x.cells.shared = true
	return &View{
		width: x.width, stride: x.stride, kernel: x.kernel, content: x.content,
		cells: x.cells, effort: x.options.Effort, threads: x.options.Threads, values: x.options.Values,
	}
}

// celled says whether this index has cells at its present size.
func (x *Index) celled() bool {
	switch x.options.Method {
	case ExactOnly:
		return false
	case Automatic:
		return x.content.rows >= ApproximateFrom
	}
	return true
}

// link puts into cells what is not in one, if this index has cells. Where that is
// most of it, the cells are made anew.
func (x *Index) link() {
	if !x.celled() {
		x.cells, x.content.linked = cells{}, 0
		return
	}
	switch {
	case x.unbuilt() && x.deferring:
		x.cells, x.content.linked = cells{}, 0
		return
	case x.unbuilt():
		building := building{width: x.width, stride: x.stride, kernel: x.kernel, chunks: x.content.chunks(), dead: x.dead}
		x.cells = building.build()
	default:
		x.linkEach(x.content.linked, func(int) bool { return false })
	}
	x.content.linked = x.content.entries
}

// unbuilt reports whether most entries are in no cell, so that cells are made anew.
func (x *Index) unbuilt() bool { return x.content.entries-x.content.linked > x.content.linked }

// Defer says whether views are without cells, and so exact, while these have to be
// made anew, which takes tens of seconds for millions of vectors. Pending then gives
// what is to be built.
func (x *Index) Defer(deferring bool) { x.deferring = deferring }

// Pending gives the cells to build, of the content as it is now; nil when there is
// nothing to build.
func (x *Index) Pending() *Build {
	if !x.deferring || !x.celled() || !x.unbuilt() {
		return nil
	}
	b := &Build{content: x.content, generation: x.generation}
	b.building = building{width: x.width, stride: x.stride, kernel: x.kernel, chunks: b.content.chunks(), dead: func(at place) bool {
		_, number := b.content.at(at)
		return b.content.dead.has(number)
	}}
	return b
}

// Build is cells in the making, of what an index held at some moment.
type Build struct {
	building   building
	content    content
	generation int
	made       cells
}

// Run makes the cells, in any goroutine, while the index may change. It ends early
// when stopped reports true.
func (b *Build) Run(stopped func() bool) {
	b.building.stopped = stopped
	b.made = b.building.build()
}

// Adopt takes cells that were built into use; the next view puts into them what has
// come since. It reports false when they are of no use: building was stopped, or the
// index has changed too much.
func (x *Index) Adopt(b *Build) bool {
	if b.building.isStopped() || b.generation != x.generation || !x.celled() || !x.unbuilt() {
		return false
	}
	x.cells, x.content.linked = b.made, b.content.entries
	return true
}

// linkEach puts entries from a number on into cells, one by one, but for those that
// are in.
func (x *Index) linkEach(first int, in func(number int) bool) {
	if x.linking == nil {
		x.linking = newLinking(x.width, x.kernel)
	}
	for number := first; number < x.content.entries; number++ {
		if !x.content.dead.has(number) && !in(number) {
			at := x.content.find(number)
			x.linking.add(&x.cells, x.content.chunk(at.chunk), at, x.dead)
		}
	}
}

func (x *Index) dead(at place) bool {
	_, number := x.content.at(at)
	return x.content.dead.has(number)
}

// chunk gives a chunk by its number.
func (c *content) chunk(number uint32) *chunk {
	if int(number) < len(c.sealed) {
		return c.sealed[number]
	}
	return &c.last
}

// at gives the entry at a place, and its number.
func (c *content) at(at place) (*entry, int) {
	chunk := c.chunk(at.chunk)
	return &chunk.entries[at.slot], chunk.first + int(at.slot)
}

// find gives the place of an entry.
func (c *content) find(number int) place {
	chunk := sort.Search(len(c.sealed), func(i int) bool { return c.sealed[i].first > number }) - 1
	if number >= c.last.first {
		chunk = len(c.sealed)
	}
	return place{uint32(chunk), uint32(number - c.chunk(uint32(chunk)).first)}
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
