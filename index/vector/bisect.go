package vector

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// pointSet is coded representatives by number.
type pointSet struct {
	stride, width int
	cell
}

func (s *pointSet) code(i int32) []byte {
	return s.codes[int(i)*s.stride : (int(i)+1)*s.stride]
}

// take copies some into a cell of their own, with room to grow.
func (s *pointSet) take(numbers []int32) *cell {
	room := len(numbers) + len(numbers)/4 + 4
	c := &cell{codeTable{make([]byte, 0, room*s.stride), make([]float32, 0, room)}, make([]place, 0, room)}
	for _, number := range numbers {
		c.codes = append(c.codes, s.code(number)...)
		c.scales = append(c.scales, s.scales[number])
		c.places = append(c.places, s.places[number])
	}
	return c
}

// centre gives the direction of the mean of the members' directions.
func (s *pointSet) centre(numbers []int32) []float32 {
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
		squares += (int(code) - bias) * (int(code) - bias)
	}
	if squares > 0 {
		addCodes(sum, codes, float32(1/math.Sqrt(float64(squares))))
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

// bisecting divides sets in two by two-means; it keeps its memory.
type bisecting struct {
	kernel        kernel
	width, stride int
	source        *rand.Rand
	rows          []byte
	products      [2][]int32
	lean          []leaning
}

// leaning says how much nearer a member is to the first of two centres.
type leaning struct {
	number int32
	lean   float32
}

const (
	bisectSample = 512 // members by which two centres are found
	bisectRounds = 4
	gatherRows   = 64 // members that are copied together for the kernel
)

func newBisecting(width int, k kernel) *bisecting {
	stride := strideOf(width)
	return &bisecting{
		kernel: k, width: width, stride: stride, source: rand.New(rand.NewPCG(3, uint64(width))), rows: make([]byte, gatherRows*stride),
		products: [2][]int32{make([]int32, gatherRows), make([]int32, gatherRows)},
	}
}

// bisect gives two halves of at least an eighth each. It reorders the numbers.
func (b *bisecting) bisect(set *pointSet, numbers []int32) (one, two []int32) {
	sample := make([]int32, 0, bisectSample)
	for range min(bisectSample, len(numbers)) {
		sample = append(sample, numbers[b.source.IntN(len(numbers))])
	}
	first, second := set.centre(sample[:1]), set.centre(sample[len(sample)/2:len(sample)/2+1])
	for range bisectRounds {
		b.compare(set, sample, first, second)
		sums := [2][]float32{make([]float32, b.width), make([]float32, b.width)}
		for _, l := range b.lean {
			side := 0
			if l.lean < 0 {
				side = 1
			}
			set.addUnit(sums[side], l.number)
		}
		first, second = unit(sums[0]), unit(sums[1])
	}
	b.compare(set, numbers, first, second)
	cut := 0
	for _, l := range b.lean {
		if l.lean >= 0 {
			cut++
		}
	}
	if least := len(numbers) / 8; cut < least || cut > len(numbers)-least {
		cut = len(numbers) / 2
	}
	slices.SortFunc(b.lean, func(x, y leaning) int { return cmp.Or(cmp.Compare(y.lean, x.lean), cmp.Compare(x.number, y.number)) })
	for i, l := range b.lean {
		numbers[i] = l.number
	}
	return numbers[:cut], numbers[cut:]
}

// compare fills lean.
func (b *bisecting) compare(set *pointSet, numbers []int32, first, second []float32) {
	queries := [2]queryCode{newQueryCode(first, b.stride), newQueryCode(second, b.stride)}
	b.lean = b.lean[:0]
	for some := range slices.Chunk(numbers, gatherRows) {
		for i, number := range some {
			copy(b.rows[i*b.stride:], set.code(number))
		}
		for i := range queries {
			b.kernel.dot(queries[i].codes, b.rows[:len(some)*b.stride], b.products[i][:len(some)])
		}
		for i, number := range some {
			lean := float32(queries[0].scale)*float32(b.products[0][i]-queries[0].shift) - float32(queries[1].scale)*float32(b.products[1][i]-queries[1].shift)
			b.lean = append(b.lean, leaning{number, lean})
		}
	}
}
