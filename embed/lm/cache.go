package lm

import (
	"slices"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
)

// keyValueCache holds the keys and values of the texts that a language model writes: for each layer a buffer [rows heads
// capacity width], given to the graph both as past and as present, so that a step copies nothing.
type keyValueCache struct {
	heads, capacity, width int
	keys, values           [][]float32 // by layer, with room for as many rows as there will ever be
	length                 int         // positions in use
	prefix                 int         // those of the prompt, which all rows of a prompt have in common
	owners                 []int       // of each row in use, its prompt
	held                   []int       // of each row that there is room for, the prompt whose positions it has, or -1
	scratch                []float32
}

// newKeyValueCache makes an empty cache with a row for each prompt and room for some rows.
func newKeyValueCache(layout stepLayout, prompts, rows, capacity int) *keyValueCache {
	c := &keyValueCache{heads: layout.heads, capacity: capacity, width: layout.width, held: slices.Repeat([]int{-1}, rows)}
	size := rows * layout.heads * capacity * layout.width
	for range layout.layers {
		c.keys, c.values = append(c.keys, make([]float32, size)), append(c.values, make([]float32, size))
	}
	for prompt := range prompts {
		c.owners = append(c.owners, prompt)
		c.held[prompt] = prompt
	}
	return c
}

func (c *keyValueCache) rows() int { return len(c.owners) }

// tensor presents the rows in use of one of the buffers.
func (c *keyValueCache) tensor(buffers [][]float32, layer int) ort.Tensor {
	size := c.rows() * c.heads * c.capacity * c.width
	return ort.Float32Tensor(buffers[layer][:size], int64(c.rows()), int64(c.heads), int64(c.capacity), int64(c.width))
}

// move is a row that becomes a copy of another one, from a position on.
type move struct{ row, parent, from int }

// gather makes row i a copy of row parents[i]. What a prompt's rows have in common is copied to a row once.
func (c *keyValueCache) gather(parents []int) {
	owners := make([]int, len(parents))
	var moves []move
	for row, parent := range parents {
		owners[row] = c.owners[parent]
		if row == parent {
			continue
		}
		from := 0
		if c.held[row] == owners[row] {
			from = c.prefix
		}
		if from < c.length {
			moves = append(moves, move{row, parent, from})
		}
	}
	if len(moves) > 0 {
		for layer := range c.keys {
			c.apply(c.keys[layer], moves)
			c.apply(c.values[layer], moves)
		}
	}
	c.owners = owners
	copy(c.held, owners)
}

// apply makes moves in one buffer, all reading what was there before.
func (c *keyValueCache) apply(buffer []float32, moves []move) {
	stretch := func(row, head, from int) []float32 {
		at := (row*c.heads + head) * c.capacity
		return buffer[(at+from)*c.width : (at+c.length)*c.width]
	}
	c.scratch = c.scratch[:0]
	for _, one := range moves {
		for head := range c.heads {
			c.scratch = append(c.scratch, stretch(one.parent, head, one.from)...)
		}
	}
	rest := c.scratch
	for _, one := range moves {
		for head := range c.heads {
			rest = rest[copy(stretch(one.row, head, one.from), rest):]
		}
	}
}

// encoderMemory is what T5's decoder reads of its encoder: keys and values of each layer [prompts heads positions width].
type encoderMemory struct {
	all, served map[port]ort.Tensor
	sources     []int // the prompts that are served, each to as many rows
}

func newEncoderMemory(list []port, outputs []ort.Tensor, prompts int) *encoderMemory {
	m := &encoderMemory{all: map[port]ort.Tensor{}}
	for i, p := range list {
		m.all[p] = outputs[i]
	}
	m.served = m.all
	for prompt := range prompts {
		m.sources = append(m.sources, prompt)
	}
	return m
}

func (m *encoderMemory) tensor(p port) (ort.Tensor, bool) {
	if p.prefix != manifest.EncodedKeyPrefix && p.prefix != manifest.EncodedValuePrefix {
		return ort.Tensor{}, false
	}
	tensor, ok := m.served[p]
	return tensor, ok
}

// serve lets rows read the memory of their owners: the graph lets each prompt's serve equally many rows in turn, so that
// rows of another order need copies.
func (m *encoderMemory) serve(owners []int) {
	sources := inTurn(owners)
	if slices.Equal(sources, m.sources) {
		return
	}
	m.sources = sources
	m.served = map[port]ort.Tensor{}
	for p, tensor := range m.all {
		shape := slices.Clone(tensor.Shape())
		size := len(tensor.Float32()) / int(shape[0])
		values := make([]float32, 0, len(sources)*size)
		for _, source := range sources {
			values = append(values, tensor.Float32()[source*size:(source+1)*size]...)
		}
		shape[0] = int64(len(sources))
		m.served[p] = ort.Float32Tensor(values, shape...)
	}
}

// inTurn lists each owner once where all have equally many rows, side by side, or else the owner of each row.
func inTurn(owners []int) []int {
	distinct := slices.Compact(slices.Clone(owners))
	each := len(owners) / max(1, len(distinct))
	for row, owner := range owners {
		if row/max(1, each) >= len(distinct) || distinct[row/each] != owner {
			return owners
		}
	}
	return distinct
}
