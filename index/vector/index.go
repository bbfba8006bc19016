package vector

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"mekiki/index/vector/coder"
	"mekiki/index/vector/codes"
	"mekiki/index/vector/kernels"
	"mekiki/index/vector/numbers"
	"mekiki/index/vector/quantized"
	"mekiki/index/vector/tombstones"
)

// Options are the settings of an Index.
type Options struct {
	// Width is the number of values of a vector, 1 to 65,536.
	Width int
	// Method is how searches find; Automatic when empty.
	Method Method
	// ApproximateFrom is the number of vectors from which an Automatic index searches
	// approximately; 0 means the constant of that name.
	ApproximateFrom int
	// Effort says how much an approximate search looks at and scores: 2 is twice as much
	// as by default, for higher recall, and 0.5 half. 0 means 1.
	Effort float64
	// Threads is how many goroutines scan the vectors in an exact search; 0 means 1.
	Threads int
	// Values gives a group's vectors again, those that were added, so that the
	// index need not keep them: at 256 values, an image of 32 parts then takes 9 KB
	// of memory instead of 42. It is called while searching, by any number of
	// goroutines; nil keeps them. A search that it fails for fails.
	Values Values

	walkAlways bool // never scans the nodes of a graph; for tests
}

// Values gives vectors of a group, one after the other: those at some rows, counted from zero, or all where rows is nil.
type Values func(group uint64, rows []int) ([]float32, error)

// Method is how an index finds.
type Method string

const (
	// Automatic is exact for small indexes, HNSW from ApproximateFrom vectors on, and IVF
	// from ListsFrom on.
	Automatic Method = "auto"
	// Exact scans every vector.
	Exact Method = "exact"
	// HNSW walks a graph of representatives.
	HNSW Method = "hnsw"
	// IVF probes inverted lists of representatives.
	IVF Method = "ivf"
	// Coder walks a graph of representatives of github.com/coder/hnsw, which misses
	// many: docs/measurements/vectors.md says how many. It is not saved.
	Coder Method = "coder"
)

// Methods lists every method.
func Methods() []Method { return []Method{Automatic, Exact, HNSW, IVF, Coder} }

func (o Options) withDefaults() Options {
	if o.Method == "" {
		o.Method = Automatic
	}
	if o.Effort == 0 {
		o.Effort = 1
	}
	if o.ApproximateFrom == 0 {
		o.ApproximateFrom = ApproximateFrom
	}
	return o
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	var problems []error
	if o.Width <= 0 || o.Width > maximumWidth {
		problems = append(problems, fmt.Errorf("vector index: width %d is not in 1 to %d", o.Width, maximumWidth))
	}
	if o.Method != "" && !slices.Contains(Methods(), o.Method) {
		problems = append(problems, fmt.Errorf("vector index: method %q is none of %q", o.Method, Methods()))
	}
	if o.Method == Coder && !coder.Available {
		problems = append(problems, fmt.Errorf("vector index: method %q is not available on this system", o.Method))
	}
	if o.ApproximateFrom < 0 {
		problems = append(problems, fmt.Errorf("vector index: approximate from %d vectors, expected a number from 0", o.ApproximateFrom))
	}
	if !(o.Effort >= 0 && o.Effort <= 1000) {
		problems = append(problems, fmt.Errorf("vector index: effort %g is not in 0 to 1000", o.Effort))
	}
	if o.Threads < 0 || o.Threads > 1024 {
		problems = append(problems, fmt.Errorf("vector index: %d threads are not in 0 to 1024", o.Threads))
	}
	return errors.Join(problems...)
}

// Index holds groups of vectors and finds those nearest to a query: exactly, or beyond
// a size approximately, see Options.Method. Its methods are for one goroutine at a
// time; the views that it hands out are for any number, also while the index changes.
type Index struct {
	width, stride int
	options       Options
	chunkRows     int
	kernel        kernels.Kernel
	content       content
	finder        finder        // nil where searches are exact
	method        Method        // of the finder
	numbers       numbers.Table // of a group's entry
	// deferred says that View does not build the finder, and generation how often the
	// entries were renumbered.
	deferred   bool
	generation int
}

// content is what an index and its views share. Chunks grow only behind what a view
// knows of them, and tombstones are copied when changed.
type content struct {
	sealed  []*chunk
	last    chunk
	entries int
	rows    int // of all entries, also of removed ones
	listed  int // entries that the finder has, or that were removed before
	removed tombstones.Set
}

// chunk is a stretch of rows that the kernels read at once. Its codes are in memory, or in a
// file.
type chunk struct {
	first   int // the number of its first entry
	codes   []byte
	rows    []codes.Row
	entries []entry
	saved   *savedChunk // nil where the codes are in memory
	// lowest and highest are the least and the greatest group, of removed ones too.
	lowest, highest uint64
}

// hold makes room for a group between the lowest and the highest.
func (c *chunk) hold(group uint64) {
	if len(c.entries) == 0 {
		c.lowest, c.highest = group, group
	}
	c.lowest, c.highest = min(c.lowest, group), max(c.highest, group)
}

// endRow is the row after an entry's last.
func (c *chunk) endRow(slot int) int {
	switch {
	case slot+1 < len(c.entries):
		return int(c.entries[slot+1].row)
	case c.saved != nil:
		return c.saved.rows
	}
	return len(c.rows)
}

// entry is a group as it was added.
type entry struct {
	group  uint64
	row    uint32    // its first in the chunk
	sum    uint32    // of its codes, where these are in a file
	values []float32 // as given, for exact scores
}

// New gives an empty index.
func New(options Options) (*Index, error) {
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, err
	}
	return &Index{
		width: options.Width, stride: quantized.Stride(options.Width), options: options, chunkRows: chunkBytes / quantized.Stride(options.Width),
		kernel: kernels.All()[0],
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
	x.reserve(count)
	last := &x.content.last
	x.numbers.Set(group, x.content.entries)
	added := entry{group: group, row: uint32(len(last.rows))}
	if x.options.Values == nil {
		added.values = vectors
	}
	last.hold(group)
	last.entries = append(last.entries, added)
	for row := range count {
		start := len(last.codes)
		last.codes = last.codes[:start+x.stride] // zero beyond the width since made
		last.rows = append(last.rows, quantized.Row(last.codes[start:], vectors[row*x.width:(row+1)*x.width]))
	}
	x.content.entries++
	x.content.rows += count
}

// reserve begins a chunk if the last has no room for a group's rows.
func (x *Index) reserve(rows int) {
	last := &x.content.last
	if len(last.codes)+rows*x.stride <= cap(last.codes) {
		return
	}
	if len(last.entries) > 0 {
		full := *last
		x.content.sealed = append(x.content.sealed, &full)
	}
	capacity := max(rows, x.chunkRows)
	*last = chunk{
		first: x.content.entries,
		codes: make([]byte, 0, capacity*x.stride),
		rows:  make([]codes.Row, 0, capacity),
	}
}

// Release drops the vectors that the index keeps; from now on values gives them again,
// see Options.Values. Views that were handed out keep theirs.
func (x *Index) Release(values Values) {
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
	number, found := x.numbers.Get(group)
	if !found {
		return
	}
	x.numbers.Remove(group)
	x.content.removed = x.content.removed.With(number)
	if removed := x.content.removed.Count(); removed > fewTombstones && removed > x.content.entries/2 {
		x.rebuild()
	}
}

// rebuild copies the content without its removed entries.
func (x *Index) rebuild() {
	old := x.content
	x.content, x.finder = content{}, nil
	x.generation++
	reader := x.newReader()
	for _, chunk := range old.chunks() {
		for i, entry := range chunk.entries {
			if !old.removed.Has(chunk.first + i) {
				x.copyEntry(reader, chunk, i, entry)
			}
		}
	}
}

// copyEntry appends an entry of another content, unless neither its codes nor its vectors
// can be read.
func (x *Index) copyEntry(reader *reader, from *chunk, slot int, e entry) {
	rows, codes, err := reader.entry(from, slot)
	if err != nil {
		x.numbers.Remove(e.group)
		return
	}
	x.reserve(len(rows))
	last := &x.content.last
	x.numbers.Set(e.group, x.content.entries)
	e.row, e.sum = uint32(len(last.rows)), 0
	last.hold(e.group)
	last.entries = append(last.entries, e)
	last.codes = append(last.codes, codes...)
	last.rows = append(last.rows, rows...)
	x.content.entries++
	x.content.rows += len(rows)
}

// View gives the current content, which never changes in it. It puts what was added
// since the last view into the graph or the inverted lists, or builds these, which takes
// minutes for millions of vectors unless Defer was called.
func (x *Index) View() *View {
	x.updateFinder()
	view := &View{
		width: x.width, stride: x.stride, kernel: x.kernel, content: x.content,
		method: x.Method(), effort: x.options.Effort, walkAlways: x.options.walkAlways, threads: x.options.Threads, values: x.options.Values,
	}
	if x.finder != nil {
		view.method, view.proposer = x.method, x.finder.snapshot()
	}
	return view
}

// isRemoved says whether the entry at a location was removed.
func (c *content) isRemoved(at location) bool {
	_, number := c.at(at)
	return c.removed.Has(number)
}

// chunk gives a chunk by its number.
func (c *content) chunk(number uint32) *chunk {
	if int(number) < len(c.sealed) {
		return c.sealed[number]
	}
	return &c.last
}

// at gives the entry at a location, and its number.
func (c *content) at(at location) (*entry, int) {
	chunk := c.chunk(at.chunk)
	return &chunk.entries[at.slot], chunk.first + int(at.slot)
}

// number gives the number of the entry at a location.
func (c *content) number(at location) int { return c.chunk(at.chunk).first + int(at.slot) }

// find gives the location of an entry.
func (c *content) find(number int) location {
	chunk := sort.Search(len(c.sealed), func(i int) bool { return c.sealed[i].first > number }) - 1
	if number >= c.last.first {
		chunk = len(c.sealed)
	}
	return location{uint32(chunk), uint32(number - c.chunk(uint32(chunk)).first)}
}

// chunks lists all chunks.
func (c *content) chunks() []*chunk {
	return append(c.sealed[:len(c.sealed):len(c.sealed)], &c.last)
}
