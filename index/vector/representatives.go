package vector

import (
	"math"
	"slices"
)

// Representatives stand for a group's rows where the group is looked for among
// many: rows that lie near each other are merged into their mean, so that the parts
// of an image, which mostly do, need one vector or a few instead of 32.
const (
	// nearEnough is the cosine that rows have at least with the mean that stands
	// for them, as long as a group has fewer than mostRepresentatives.
	nearEnough          = 0.9
	mostRepresentatives = 4
	// mergedRows is how many rows of a group are merged at a time, so that the
	// time a group takes stays in proportion to its rows.
	mergedRows = 64
)

// merging merges rows; it keeps its memory from one group to the next.
type merging struct {
	kernel   kernel
	width    int
	query    []int8
	products []int32
	gram     []float32 // the dot products of the rows with each other
	cluster  []int     // of each row
	mean     []float32
}

func newMerging(width int, k kernel) *merging {
	return &merging{kernel: k, width: width, query: make([]int8, strideOf(width)), mean: make([]float32, width)}
}

// merge calls emit with each representative of the coded rows; emit must not keep
// it.
func (m *merging) merge(codes []byte, rows []rowCode, emit func(mean []float32)) {
	for start := 0; start < len(rows); start += mergedRows {
		end := min(start+mergedRows, len(rows))
		stride := len(m.query)
		m.mergeSome(codes[start*stride:end*stride], rows[start:end], emit)
	}
}

func (m *merging) mergeSome(codes []byte, rows []rowCode, emit func(mean []float32)) {
	count := len(rows)
	m.cluster = slices.Grow(m.cluster[:0], count)[:count]
	clear(m.cluster)
	if count == 1 {
		m.emit(codes, rows, 1, emit)
		return
	}
	m.compare(codes, rows)
	clusters := 1
	for furthest, cosine := m.furthest(clusters); cosine < nearEnough && clusters < min(count, mostRepresentatives); furthest, cosine = m.furthest(clusters) {
		m.cluster[furthest] = clusters
		clusters++
		for range 3 {
			m.assign(clusters)
		}
	}
	m.emit(codes, rows, clusters, emit)
}

// compare fills gram.
func (m *merging) compare(codes []byte, rows []rowCode) {
	count, stride := len(rows), len(m.query)
	m.gram = slices.Grow(m.gram[:0], count*count)[:count*count]
	m.products = slices.Grow(m.products[:0], count)[:count]
	for i, row := range rows {
		shift := signed(m.query, codes[i*stride:(i+1)*stride], m.width)
		m.kernel.dot(m.query, codes[:count*stride], m.products)
		for j, product := range m.products {
			m.gram[i*count+j] = row.scale * rows[j].scale * float32(product-shift)
		}
	}
}

// assign gives each row to the cluster whose mean it has the largest cosine with.
func (m *merging) assign(clusters int) {
	sums, norms := m.toClusters(clusters)
	for row := range m.cluster {
		best := float32(math.Inf(-1))
		for cluster := range clusters {
			if cosine := sums[row][cluster] / norms[cluster]; cosine > best {
				best, m.cluster[row] = cosine, cluster
			}
		}
	}
}

// furthest finds the row with the smallest cosine with its cluster's mean.
func (m *merging) furthest(clusters int) (row int, cosine float32) {
	sums, norms := m.toClusters(clusters)
	cosine = float32(math.Inf(1))
	count := len(m.cluster)
	for i, cluster := range m.cluster {
		length := float32(math.Sqrt(float64(m.gram[i*count+i])))
		if c := sums[i][cluster] / (norms[cluster] * length); c < cosine {
			row, cosine = i, c
		}
	}
	return row, cosine
}

// toClusters gives every row's dot product with every cluster's sum of rows, and
// the lengths of the sums.
func (m *merging) toClusters(clusters int) (sums [mergedRows][mostRepresentatives]float32, norms [mostRepresentatives]float32) {
	count := len(m.cluster)
	for i := range m.cluster {
		for j, cluster := range m.cluster {
			sums[i][cluster] += m.gram[i*count+j]
		}
		norms[m.cluster[i]] += sums[i][m.cluster[i]]
	}
	for cluster := range clusters {
		norms[cluster] = float32(math.Sqrt(float64(max(norms[cluster], 0))))
	}
	return sums, norms
}

// emit computes the means.
func (m *merging) emit(codes []byte, rows []rowCode, clusters int, emit func(mean []float32)) {
	stride := len(m.query)
	for cluster := range clusters {
		clear(m.mean)
		members := 0
		for i, row := range rows {
			if m.cluster[i] != cluster {
				continue
			}
			members++
			addCodes(m.mean, codes[i*stride:(i+1)*stride], row.scale)
		}
		if members == 0 {
			continue
		}
		for i := range m.mean {
			m.mean[i] /= float32(members)
		}
		emit(m.mean)
	}
}

// addCodes adds what codes stand for to a vector.
func addCodes(sum []float32, codes []byte, scale float32) {
	codes = codes[:len(sum)]
	for i, code := range codes {
		sum[i] += scale * float32(int(code)-bias)
	}
}

// signed makes stored codes those of a query, and gives what their bias adds to its
// products.
func signed(query []int8, codes []byte, width int) (shift int32) {
	for i, code := range codes[:width] {
		value := int8(int(code) - bias)
		query[i] = value
		shift += bias * int32(value)
	}
	return shift
}
