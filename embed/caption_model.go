package embed

import (
	"context"
	"slices"

	"mekiki/embed/ort"
)

// captionModel is the language model with its key and value cache: one row for
// each hypothesis.
type captionModel struct {
	session    *ort.Session
	vocabulary int
	rows       int
	length     int      // tokens of each row
	cache      []cached // a key and a value for each layer
	// spare is the memory of what the cache was, for what it is next, and logits that of the last logits: for the published
	// Q-Former a step's are a hundred megabytes, and fresh memory costs more than the step.
	spare  [][]float32
	logits []float32
}

// cached is one key or value tensor of shape [rows, heads, length, width].
type cached struct {
	shape  []int64
	values []float32
}

// add appends an image's row, given as tensors with one row.
func (m *captionModel) add(outputs []ort.Tensor) {
	if m.rows == 0 {
		m.cache = make([]cached, len(outputs))
		for i, output := range outputs {
			m.cache[i] = cached{shape: slices.Clone(output.Shape()), values: output.Float32()}
		}
		m.rows = 1
		return
	}
	m.rows++
	for i, output := range outputs {
		m.cache[i].values = append(m.cache[i].values, output.Float32()...)
		m.cache[i].shape[0]++
	}
}

// Step implements decode.Model.
func (m *captionModel) Step(ctx context.Context, tokens []int64) ([]float32, error) {
	rows := int64(m.rows)
	inputs := make([]ort.Tensor, 0, 2+len(m.cache))
	inputs = append(inputs, ort.Int64Tensor(tokens, rows, 1), ort.Int64Tensor([]int64{int64(m.length)}, 1))
	outputs := make([]ort.Tensor, 1, 1+len(m.cache))
	m.logits = resized(m.logits, m.rows*m.vocabulary)
	outputs[0] = ort.Float32Tensor(m.logits, rows, 1, int64(m.vocabulary))
	m.begin()
	for i, past := range m.cache {
		inputs = append(inputs, ort.Float32Tensor(past.values, past.shape...))
		grown := slices.Clone(past.shape)
		grown[2]++
		m.spare[i] = resized(m.spare[i], int(grown[0]*grown[1]*grown[2]*grown[3]))
		outputs = append(outputs, ort.Float32Tensor(m.spare[i], grown...))
	}
	if err := m.session.RunInto(ctx, inputs, outputs); err != nil {
		return nil, err
	}
	for i := range m.cache {
		m.spare[i] = m.cache[i].values
		m.cache[i] = cached{shape: outputs[1+i].Shape(), values: outputs[1+i].Float32()}
	}
	m.length++
	return m.logits, nil
}

// begin makes room for as many spare pieces of memory as the cache has.
func (m *captionModel) begin() {
	if m.spare == nil {
		m.spare = make([][]float32, len(m.cache))
	}
}

// resized gives memory for so many values, that of the buffer if it is large enough. What is in there is undefined.
func resized(buffer []float32, length int) []float32 {
	if cap(buffer) < length {
		buffer = make([]float32, length, length+length/2)
	}
	return buffer[:length]
}

// Gather implements decode.Model.
func (m *captionModel) Gather(_ context.Context, parents []int) error {
	if inOrder(parents, m.rows) {
		return nil
	}
	m.begin()
	for i, past := range m.cache {
		stride := int(past.shape[1] * past.shape[2] * past.shape[3])
		values := resized(m.spare[i], len(parents)*stride)
		for row, parent := range parents {
			copy(values[row*stride:(row+1)*stride], past.values[parent*stride:])
		}
		m.spare[i], m.cache[i].values = past.values, values
		m.cache[i].shape = slices.Clone(past.shape)
		m.cache[i].shape[0] = int64(len(parents))
	}
	m.rows = len(parents)
	return nil
}

func inOrder(parents []int, rows int) bool {
	if len(parents) != rows {
		return false
	}
	for row, parent := range parents {
		if row != parent {
			return false
		}
	}
	return true
}
