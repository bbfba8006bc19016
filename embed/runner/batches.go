package runner

import (
	"mekiki/embed/ort"
	"mekiki/embed/tokenize"
)

// batchTokens bounds the tokens of a batch's texts, so that what a session holds of its memory stays small: long texts
// gain nothing from each other.
const batchTokens = 1024

// Batches groups the encodings by length, so that no row needs padding, in groups
// of at most the given size that also leave every worker something to do. A group
// lists positions in encodings.
func Batches(encodings []tokenize.Encoding, most, workers int) [][]int {
	byLength := map[int][]int{}
	var lengths []int
	for i, encoding := range encodings {
		length := len(encoding.IDs)
		if len(byLength[length]) == 0 {
			lengths = append(lengths, length)
		}
		byLength[length] = append(byLength[length], i)
	}
	var groups [][]int
	for _, length := range lengths {
		members := byLength[length]
		size := max(1, min(most, batchTokens/max(1, length), (len(members)+workers-1)/workers))
		for len(members) > 0 {
			take := min(size, len(members))
			groups = append(groups, members[:take])
			members = members[take:]
		}
	}
	return groups
}

// BatchSize bounds batches of texts and pairs to 1 when a row's numbers would depend
// on its neighbours.
func (m *Model) BatchSize(most int) int {
	if m.Description.OneByOne {
		return 1
	}
	return most
}

// Workers is how many runs of a graph go on side by side.
func (m *Model) Workers(g *Graph) int {
	if g.singleThreaded() {
		return m.Options.Threads
	}
	return 1
}

// TextTensors presents encodings of one length as a batch.
func TextTensors(encodings []tokenize.Encoding, group []int) (ids, mask ort.Tensor) {
	length := len(encodings[group[0]].IDs)
	values := make([]int64, 0, len(group)*length)
	for _, i := range group {
		values = append(values, encodings[i].IDs...)
	}
	ones := make([]int64, len(values))
	for i := range ones {
		ones[i] = 1
	}
	shape := []int64{int64(len(group)), int64(length)}
	return ort.Int64Tensor(values, shape...), ort.Int64Tensor(ones, shape...)
}
