package vector

import (
	"math"
	"slices"

	"mekiki/index/vector/codes"
	"mekiki/index/vector/kernels"
	"mekiki/index/vector/lists"
	"mekiki/index/vector/quantized"
	"mekiki/index/vector/representatives"
)

// ivf is an inverted file (Jegou, Douze and Schmid, Product Quantization for Nearest
// Neighbor Search, 2011): the representatives of every group, in one list for each
// centroid, each in the list of its nearest centroid. Lists split as they fill, so
// that the file is never trained anew.
//
// The zero value has no lists. What views hold is never changed: postings are appended
// beyond what a view knows of them, and the rest is copied when changed.
type ivf struct {
	lists     []*invertedList
	centroids codeTable // one for each list
	postings  int       // in all lists
	groups    int       // that have postings
	shared    bool      // with a view
	inserter  *inserter
	file      *lists.File // that lists leave their codes in; nil where all are in memory
}

// snapshot implements finder.
func (f *ivf) snapshot() proposer {
	f.shared = true
	if f.postings == 0 {
		return nil
	}
	same := *f
	return &same
}

// insert implements finder. Entries are inserted one by one.
func (f *ivf) insert(c *content, reader *reader, numbers []int) {
	for _, number := range numbers {
		at := c.find(number)
		if rows, codes, err := reader.entry(c.chunk(at.chunk), int(at.slot)); err == nil {
			f.inserter.insert(f, rows, codes, at, c.isRemoved)
		}
	}
}

// invertedList is the postings of one centroid: the representatives' codes, which the
// kernels read at once, their scales, and the entries that they stand for; nowhere for one
// that is gone since it was saved. The codes of a saved list's first postings are in a file.
type invertedList struct {
	codeTable
	postings []location
	saved    *savedList
}

// location is where an entry is: the number of its chunk, and its own within that.
type location struct{ chunk, slot uint32 }

func (l location) key() uint64 { return uint64(l.chunk)<<32 | uint64(l.slot) }

// codeTable is a list of coded vectors.
type codeTable struct {
	codes  []byte
	scales []float32
}

// builtLength is the most postings that a list has when it is built.
func builtLength(postings int) int { return max(listLength, postings/maxLists) }

// maxLength is the most postings that a list may have before it splits.
func (f *ivf) maxLength() int { return int(listGrowth * float64(builtLength(f.postings))) }

func (t *codeTable) add(stride int, values []float32) {
	start := len(t.codes)
	t.codes = append(t.codes, make([]byte, stride)...)
	t.scales = append(t.scales, quantized.Values(t.codes[start:start+len(values)], values))
}

func (t *codeTable) row(i, stride int) []byte { return t.codes[i*stride : (i+1)*stride] }

// unshare copies what views share, before it is changed.
func (f *ivf) unshare() {
	if f.shared {
		f.lists = slices.Clone(f.lists)
		f.centroids = codeTable{slices.Clone(f.centroids.codes), slices.Clone(f.centroids.scales)}
		f.shared = false
	}
}

// inserter puts entries into inverted lists, one by one. It keeps its memory from one
// to the next.
type inserter struct {
	merger        *representatives.Merger
	kernel        kernels.Kernel
	width, stride int
	code          []byte
	query         []int8
	products      []int32
	scores        []float32
}

func newInserter(width int, k kernels.Kernel) *inserter {
	stride := quantized.Stride(width)
	return &inserter{
		merger: representatives.NewMerger(width, representatives.Default, k), kernel: k, width: width, stride: stride,
		code: make([]byte, stride), query: make([]int8, stride),
	}
}

// insert appends one entry's representatives to the lists of their nearest centroids,
// and splits the lists that became too long.
func (n *inserter) insert(f *ivf, rows []codes.Row, codes []byte, at location, removed func(location) bool) {
	f.unshare()
	f.groups++
	n.merger.Merge(codes, rows, func(mean []float32) {
		scale := quantized.Values(n.code[:n.width], mean)
		number := n.nearest(&f.centroids, n.code)
		old := f.lists[number]
		grown := &invertedList{codeTable{append(old.codes, n.code...), append(old.scales, scale)}, append(old.postings, at), old.saved}
		f.lists[number] = grown
		f.postings++
		if len(grown.postings) > f.maxLength() {
			n.split(f, number, removed)
		}
	})
}

// nearest gives the number of the centroid with the largest dot product with a coded
// vector.
func (n *inserter) nearest(centroids *codeTable, code []byte) int {
	best, number := float32(math.Inf(-1)), 0
	for i, score := range n.score(centroids, code) {
		if score > best {
			best, number = score, i
		}
	}
	return number
}

// score gives the dot products of a coded vector with coded centroids, but for the
// vector's scale. The next call overwrites them.
func (n *inserter) score(centroids *codeTable, code []byte) []float32 {
	shift := quantized.Unbias(n.query, code, n.width)
	count := len(centroids.scales)
	n.products = slices.Grow(n.products[:0], count)[:count]
	n.scores = slices.Grow(n.scores[:0], count)[:count]
	n.kernel.Dot(n.query, centroids.codes, n.products)
	for i, product := range n.products {
		n.scores[i] = centroids.scales[i] * float32(product-shift)
	}
	return n.scores
}

// split divides a list in two by two-means, without the postings of removed entries.
// If few are left, it stays one list.
func (n *inserter) split(f *ivf, number int, removed func(location) bool) {
	old, err := f.lists[number].inMemory()
	if err != nil {
		return // the next search notices it, and all lists are built again
	}
	var centroids codeTable
	set := pointSet{n.stride, n.width, *old}
	var kept []int32
	for i, at := range old.postings {
		if at != nowhere && !removed(at) {
			kept = append(kept, int32(i))
		}
	}
	f.postings -= len(old.postings) - len(kept)
	if len(kept) <= f.maxLength()/2 {
		f.lists[number] = set.gather(kept)
		return
	}
	one, two := newBisector(n.width, n.kernel).bisect(&set, kept)
	left, right := set.gather(one), set.gather(two)
	centroids.add(n.stride, set.centroid(one))
	centroids.add(n.stride, set.centroid(two))
	f.lists[number] = left
	copy(f.centroids.row(number, n.stride), centroids.row(0, n.stride))
	f.centroids.scales[number] = centroids.scales[0]
	f.lists = append(f.lists, right)
	f.centroids.codes = append(f.centroids.codes, centroids.row(1, n.stride)...)
	f.centroids.scales = append(f.centroids.scales, centroids.scales[1])
}
