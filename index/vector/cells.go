package vector

import (
	"math"
	"slices"
)

// cells keep the representatives of every group, near ones together: a cell is what
// lies nearer to its centre than to the other centres. It is an inverted file
// (Jegou, Douze and Schmid, Product Quantization for Nearest Neighbor Search, 2011)
// whose cells split as they fill, so that it is never trained anew.
//
// The zero value is no cells. Values that views hold are never changed: lists grow
// only behind what a view knows of them, and the rest is copied when changed.
type cells struct {
	list    []*cell
	centres codeTable
	count   int // of representatives
	groups  int // of entries that are in
	shared  bool
}

// cell is a list of representatives: their codes, that the kernels read at once,
// their scales, and the entries that they stand for.
type cell struct {
	codeTable
	places []place
}

// place is where an entry is: the number of its chunk, and its own in that.
type place struct{ chunk, slot uint32 }

// codeTable is a list of coded vectors.
type codeTable struct {
	codes  []byte
	scales []float32
}

// Cells have cellTarget members at most when made, or more if there would be more
// than mostCells, and split beyond cellMost times what they would have now.
const (
	cellTarget = 128
	mostCells  = 16384
	cellMost   = 2.5
)

// full is how many members are too many for a cell.
func (c *cells) full() int { return int(cellMost * float64(max(cellTarget, c.count/mostCells))) }

func (t *codeTable) add(stride int, values []float32) {
	start := len(t.codes)
	t.codes = append(t.codes, make([]byte, stride)...)
	t.scales = append(t.scales, quantize(t.codes[start:start+len(values)], values))
}

func (t *codeTable) row(i, stride int) []byte { return t.codes[i*stride : (i+1)*stride] }

// own makes what views share the writer's own.
func (c *cells) own() {
	if c.shared {
		c.list = slices.Clone(c.list)
		c.centres = codeTable{slices.Clone(c.centres.codes), slices.Clone(c.centres.scales)}
		c.shared = false
	}
}

// linking puts entries into cells.
type linking struct {
	*merging
	stride int
	code   []byte
	nearer []int32
	near   []float32
}

func newLinking(width int, k kernel) *linking {
	return &linking{merging: newMerging(width, k), stride: strideOf(width), code: make([]byte, strideOf(width))}
}

// add puts in one entry.
func (l *linking) add(c *cells, entryChunk *chunk, at place, dead func(place) bool) {
	c.own()
	c.groups++
	from, to := entryChunk.entries[at.slot].row, entryChunk.endRow(int(at.slot))
	l.merge(entryChunk.codes[from*l.stride:to*l.stride], entryChunk.rows[from:to], func(mean []float32) {
		scale := quantize(l.code[:l.width], mean)
		number := l.nearest(&c.centres, l.code)
		old := c.list[number]
		grown := &cell{codeTable{append(old.codes, l.code...), append(old.scales, scale)}, append(old.places, at)}
		c.list[number] = grown
		c.count++
		if len(grown.places) > c.full() {
			l.split(c, number, dead)
		}
	})
}

// nearest gives the number of the centre with the largest dot product with a coded
// vector.
func (l *linking) nearest(centres *codeTable, code []byte) int {
	best, number := float32(math.Inf(-1)), 0
	for i, score := range l.scores(centres, code) {
		if score > best {
			best, number = score, i
		}
	}
	return number
}

// scores gives the dot products of a coded vector with coded centres, but for the
// vector's scale.
func (l *linking) scores(centres *codeTable, code []byte) []float32 {
	shift := signed(l.query, code, l.width)
	count := len(centres.scales)
	l.nearer = slices.Grow(l.nearer[:0], count)[:count]
	l.near = slices.Grow(l.near[:0], count)[:count]
	l.kernel.dot(l.query, centres.codes, l.nearer)
	for i, product := range l.nearer {
		l.near[i] = centres.scales[i] * float32(product-shift)
	}
	return l.near
}

// split makes two cells of one, without members that are dead.
func (l *linking) split(c *cells, number int, dead func(place) bool) {
	old := c.list[number]
	var centres codeTable
	set := pointSet{l.stride, l.width, *old}
	var alive []int32
	for i, place := range old.places {
		if !dead(place) {
			alive = append(alive, int32(i))
		}
	}
	c.count -= len(old.places) - len(alive)
	if len(alive) <= c.full()/2 {
		c.list[number] = set.take(alive)
		return
	}
	one, two := newBisecting(l.width, l.kernel).bisect(&set, alive)
	left, right := set.take(one), set.take(two)
	centres.add(l.stride, set.centre(one))
	centres.add(l.stride, set.centre(two))
	c.list[number] = left
	copy(c.centres.row(number, l.stride), centres.row(0, l.stride))
	c.centres.scales[number] = centres.scales[0]
	c.list = append(c.list, right)
	c.centres.codes = append(c.centres.codes, centres.row(1, l.stride)...)
	c.centres.scales = append(c.centres.scales, centres.scales[1])
}
