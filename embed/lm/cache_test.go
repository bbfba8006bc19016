package lm

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGather moves rows at random and wants each to have what its parent had.
func TestGather(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		prompts, most := 1+random.IntN(3), 2+random.IntN(6)
		layout := stepLayout{layers: 2, heads: 1 + random.IntN(3), width: 1 + random.IntN(3)}
		c := newKeyValueCache(layout, prompts, max(prompts, most), 12)
		fill := func(positions int) {
			for _, buffers := range [][][]float32{c.keys, c.values} {
				for layer := range buffers {
					for row := range c.rows() {
						for head := range c.heads {
							at := ((row*c.heads+head)*c.capacity + c.length) * c.width
							for i := range positions * c.width {
								buffers[layer][at+i] = random.Float32()
							}
						}
					}
				}
			}
			c.length += positions
		}
		fill(1 + random.IntN(4))
		c.prefix = c.length
		for c.length < c.capacity {
			parents := make([]int, 1+random.IntN(most))
			for i := range parents {
				parents[i] = random.IntN(c.rows())
			}
			slices.Sort(parents)
			var want [][]float32
			owners := make([]int, len(parents))
			for row, parent := range parents {
				owners[row] = c.owners[parent]
				want = append(want, c.row(parent)...)
			}
			c.gather(parents)
			var got [][]float32
			for row := range parents {
				got = append(got, c.row(row)...)
			}
			if !slices.Equal(c.owners, owners) || !slices.EqualFunc(got, want, slices.Equal) {
				t.Fatalf("rows %v of %+v are not their parents'", parents, c)
			}
			fill(1)
		}
	}
}

// row copies the positions in use of a row, buffer by buffer and head by head.
func (c *keyValueCache) row(row int) [][]float32 {
	var list [][]float32
	for _, buffer := range slices.Concat(c.keys, c.values) {
		for head := range c.heads {
			at := (row*c.heads + head) * c.capacity * c.width
			list = append(list, slices.Clone(buffer[at:at+c.length*c.width]))
		}
	}
	return list
}

func TestInTurn(t *testing.T) {
	for _, test := range []struct{ owners, want []int }{
		{[]int{0}, []int{0}}, {[]int{0, 0, 0}, []int{0}}, {[]int{0, 0, 2, 2}, []int{0, 2}}, {[]int{1, 3}, []int{1, 3}},
		{[]int{0, 0, 1}, []int{0, 0, 1}}, {[]int{0, 1, 1, 2}, []int{0, 1, 1, 2}}, {[]int{0, 1, 0, 1}, []int{0, 1, 0, 1}},
	} {
		if got := inTurn(test.owners); !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", test.owners, got, test.want)
		}
	}
}
