// Package representatives merges the rows of a group, which are mostly near each other, into a few vectors that stand for them.
package representatives

import (
	"math"
	"mekiki/index/vector/codes"
	"mekiki/index/vector/kernels"
	"mekiki/index/vector/quantized"
	"slices"
)

// Merger merges a group's rows into representatives, which stand for them in the
// inverted lists: rows near each other are replaced by their mean, so that the parts of
// an image, which mostly are, need one vector or a few instead of 32. It keeps its
// memory from one group to the next.
type Merger struct {
	kernel   kernels.Kernel
	width    int
	most     int // representatives of a block of rows
	query    []int8
	products []int32
	gram     []float32 // the dot products of the rows with each other
	cluster  []int     // of each row
	mean     []float32
}

// NewMerger makes a merger to so many representatives of a block of rows at most, up to [Most]. It is for one goroutine at a time.
func NewMerger(width, most int, k kernels.Kernel) *Merger {
	return &Merger{kernel: k, width: width, most: most, query: make([]int8, quantized.Stride(width)), mean: make([]float32, width)}
}

// Merge calls emit with each representative of the coded rows; emit must not keep
// it.
func (m *Merger) Merge(codes []byte, rows []codes.Row, emit func(mean []float32)) {
	for start := 0; start < len(rows); start += blockRows {
		end := min(start+blockRows, len(rows))
		stride := len(m.query)
		m.mergeBlock(codes[start*stride:end*stride], rows[start:end], emit)
	}
}

func (m *Merger) mergeBlock(codes []byte, rows []codes.Row, emit func(mean []float32)) {
	count := len(rows)
	m.cluster = slices.Grow(m.cluster[:0], count)[:count]
	clear(m.cluster)
	if count == 1 {
		m.emit(codes, rows, 1, emit)
		return
	}
	m.compare(codes, rows)
	clusters := 1
	for farthest, cosine := m.farthest(clusters); cosine < nearCosine && clusters < min(count, m.most); farthest, cosine = m.farthest(clusters) {
		m.cluster[farthest] = clusters
		clusters++
		for range 3 {
			m.assign(clusters)
		}
	}
	m.emit(codes, rows, clusters, emit)
}

// compare computes the Gram matrix.
func (m *Merger) compare(codes []byte, rows []codes.Row) {
	count, stride := len(rows), len(m.query)
	m.gram = slices.Grow(m.gram[:0], count*count)[:count*count]
	m.products = slices.Grow(m.products[:0], count)[:count]
	for i, row := range rows {
		shift := quantized.Unbias(m.query, codes[i*stride:(i+1)*stride], m.width)
		m.kernel.Dot(m.query, codes[:count*stride], m.products)
		for j, product := range m.products {
			m.gram[i*count+j] = row.Scale * rows[j].Scale * float32(product-shift)
		}
	}
}

// assign gives each row to the cluster whose mean it has the largest cosine with.
func (m *Merger) assign(clusters int) {
	sums, norms := m.clusterSums(clusters)
	for row := range m.cluster {
		best := float32(math.Inf(-1))
		for cluster := range clusters {
			if cosine := sums[row][cluster] / norms[cluster]; cosine > best {
				best, m.cluster[row] = cosine, cluster
			}
		}
	}
}

// farthest finds the row with the smallest cosine with its cluster's mean.
func (m *Merger) farthest(clusters int) (row int, cosine float32) {
	sums, norms := m.clusterSums(clusters)
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

// clusterSums gives every row's dot product with every cluster's sum of rows, and
// the lengths of the sums.
func (m *Merger) clusterSums(clusters int) (sums [blockRows][Most]float32, norms [Most]float32) {
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

// emit passes on the mean of each cluster.
func (m *Merger) emit(codes []byte, rows []codes.Row, clusters int, emit func(mean []float32)) {
	stride := len(m.query)
	for cluster := range clusters {
		clear(m.mean)
		members := 0
		for i, row := range rows {
			if m.cluster[i] != cluster {
				continue
			}
			members++
			quantized.AddTo(m.mean, codes[i*stride:(i+1)*stride], row.Scale)
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
