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
	logits := make([]float32, m.rows*m.vocabulary)
	outputs[0] = ort.Float32Tensor(logits, rows, 1, int64(m.vocabulary))
	for _, past := range m.cache {
		inputs = append(inputs, ort.Float32Tensor(past.values, past.shape...))
		grown := slices.Clone(past.shape)
		grown[2]++
		outputs = append(outputs, ort.Float32Tensor(make([]float32, grown[0]*grown[1]*grown[2]*grown[3]), grown...))
	}
	if err := m.session.RunInto(ctx, inputs, outputs); err != nil {
		return nil, err
	}
	for i := range m.cache {
		m.cache[i] = cached{shape: outputs[1+i].Shape(), values: outputs[1+i].Float32()}
	}
	m.length++
	return logits, nil
}

// Gather implements decode.Model.
func (m *captionModel) Gather(_ context.Context, parents []int) error {
	if inOrder(parents, m.rows) {
		return nil
	}
	for i, past := range m.cache {
		stride := int(past.shape[1] * past.shape[2] * past.shape[3])
		values := make([]float32, len(parents)*stride)
		for row, parent := range parents {
			copy(values[row*stride:(row+1)*stride], past.values[parent*stride:])
		}
		m.cache[i].values = values
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
