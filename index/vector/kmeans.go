package vector

import (
	"cmp"
	"math"
	"math/rand/v2"
	"mekiki/index/vector/kernels"
	"mekiki/index/vector/quantized"
	"slices"
)

// pointSet is postings that are clustered, each by its number.
type pointSet struct {
	stride, width int
	invertedList
}

func (s *pointSet) code(i int32) []byte {
	return s.codes[int(i)*s.stride : (int(i)+1)*s.stride]
}

// gather copies some into an inverted list of their own, with room to grow.
func (s *pointSet) gather(numbers []int32) *invertedList {
	room := len(numbers) + len(numbers)/4 + 4
	list := &invertedList{codeTable{make([]byte, 0, room*s.stride), make([]float32, 0, room)}, make([]location, 0, room), nil}
	for _, number := range numbers {
		list.codes = append(list.codes, s.code(number)...)
		list.scales = append(list.scales, s.scales[number])
		list.postings = append(list.postings, s.postings[number])
	}
	return list
}

// centroid gives the direction of the mean of the members' directions, as spherical
// k-means has it (Dhillon and Modha, 2001).
func (s *pointSet) centroid(numbers []int32) []float32 {
	sum := make([]float32, s.width)
	for _, number := range numbers {
		s.addUnit(sum, number)
	}
	return unit(sum)
}

// addUnit adds a member's direction.
func (s *pointSet) addUnit(sum []float32, number int32) {
	codes := s.code(number)[:s.width]
	var squares int
	for _, code := range codes {
		squares += (int(code) - quantized.Bias) * (int(code) - quantized.Bias)
	}
	if squares > 0 {
		quantized.AddTo(sum, codes, float32(1/math.Sqrt(float64(squares))))
	}
}

// unit scales a vector to length one, unless it is zero.
func unit(vector []float32) []float32 {
	var squares float64
	for _, value := range vector {
		squares += float64(value) * float64(value)
	}
	if squares > 0 {
		for i := range vector {
			vector[i] = float32(float64(vector[i]) / math.Sqrt(squares))
		}
	}
	return vector
}

// bisector divides sets in two by two-means. It keeps its memory.
type bisector struct {
	kernel        kernels.Kernel
	width, stride int
	source        *rand.Rand
	rows          []byte
	products      [2][]int32
	preferences   []preference
}

// preference is by how much a member is nearer to the first of two centroids than to
// the second.
type preference struct {
	number int32
	margin float32
}

// gatherRows is how many members are copied together for the kernel.
const gatherRows = 64

func newBisector(width int, k kernels.Kernel) *bisector {
	stride := quantized.Stride(width)
	return &bisector{
		kernel: k, width: width, stride: stride, source: rand.New(rand.NewPCG(3, uint64(width))), rows: make([]byte, gatherRows*stride),
		products: [2][]int32{make([]int32, gatherRows), make([]int32, gatherRows)},
	}
}

// bisect divides the members in two, each at least an eighth of them: by the nearer of
// two centroids, which are fitted to a sample, or in the middle where that is too
// uneven. It reorders the numbers.
func (b *bisector) bisect(set *pointSet, numbers []int32) (one, two []int32) {
	sample := make([]int32, 0, splitSample)
	for range min(splitSample, len(numbers)) {
		sample = append(sample, numbers[b.source.IntN(len(numbers))])
	}
	first, second := set.centroid(sample[:1]), set.centroid(sample[len(sample)/2:len(sample)/2+1])
	for range splitRounds {
		b.compare(set, sample, first, second)
		sums := [2][]float32{make([]float32, b.width), make([]float32, b.width)}
		for _, p := range b.preferences {
			side := 0
			if p.margin < 0 {
				side = 1
			}
			set.addUnit(sums[side], p.number)
		}
		first, second = unit(sums[0]), unit(sums[1])
	}
	b.compare(set, numbers, first, second)
	cut := 0
	for _, p := range b.preferences {
		if p.margin >= 0 {
			cut++
		}
	}
	if shortest := len(numbers) / 8; cut < shortest || cut > len(numbers)-shortest {
		cut = len(numbers) / 2
	}
	slices.SortFunc(b.preferences, func(x, y preference) int {
		return cmp.Or(cmp.Compare(y.margin, x.margin), cmp.Compare(x.number, y.number))
	})
	for i, p := range b.preferences {
		numbers[i] = p.number
	}
	return numbers[:cut], numbers[cut:]
}

// compare fills preferences.
func (b *bisector) compare(set *pointSet, numbers []int32, first, second []float32) {
	queries := [2]quantized.Query{quantized.NewQuery(first, b.stride), quantized.NewQuery(second, b.stride)}
	b.preferences = b.preferences[:0]
	for some := range slices.Chunk(numbers, gatherRows) {
		for i, number := range some {
			copy(b.rows[i*b.stride:], set.code(number))
		}
		for i := range queries {
			b.kernel.Dot(queries[i].Codes, b.rows[:len(some)*b.stride], b.products[i][:len(some)])
		}
		for i, number := range some {
			margin := float32(queries[0].Scale)*float32(b.products[0][i]-queries[0].Shift) - float32(queries[1].Scale)*float32(b.products[1][i]-queries[1].Shift)
			b.preferences = append(b.preferences, preference{number, margin})
		}
	}
}
