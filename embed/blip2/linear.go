package blip2

import (
	"fmt"

	"mekiki/embed/onnx"
)

// linear is a fully connected layer of the checkpoint, or several with one
// input whose outputs are put side by side.
type linear struct {
	layers []string // names without ".weight" and ".bias"
	input  int      // features that each layer reads
	output int      // features that each layer gives
	// least is what no feature that it reads is below, 0 when that is not known.
	least float32
}

// The least values of the activations that a second feed-forward product reads:
// of the Gaussian error linear unit, at -0.7518, and of x·sigmoid(1.702·x), at
// -0.7507.
const (
	leastGelu      float32 = -0.169972
	leastQuickGelu float32 = -0.163617
)

// name identifies the matrix product.
func (l linear) name() string {
	if len(l.layers) == 1 {
		return l.layers[0]
	}
	return fmt.Sprintf("%s+%d", l.layers[0], len(l.layers)-1)
}

// width is the number of features that the layers give together.
func (l linear) width() int { return l.output * len(l.layers) }

func (l linear) names(suffix string) []string {
	names := make([]string, len(l.layers))
	for i, layer := range l.layers {
		names[i] = layer + suffix
	}
	return names
}

// network builds one graph from a store's weights.
type network struct {
	*onnx.Graph
	store *store
}

func (n *network) vector(name string, length int) onnx.Value {
	return n.store.vector(n.Graph, name, length)
}

// product is x [... input] times the weights of l, without biases.
func (n *network) product(x onnx.Value, l linear) onnx.Value {
	y := n.multiply(x, l, onnx.Value{})
	if n.store.taps != nil {
		n.store.taps.add(l, x, y)
	}
	return y
}

// multiply adds the nodes of a product and of the bias, unless it is missing.
func (n *network) multiply(x onnx.Value, l linear, bias onnx.Value) onnx.Value {
	switch n.store.plan.method(l) {
	case methodInt8:
		weight, scale := n.store.quantized(n.Graph, l)
		return n.DynamicQuantizeMatMul(x, weight, scale, bias)
	case methodRows:
		return n.productByRows(x, l, bias)
	case methodBlocks:
		weight, scale := n.store.blocks(n.Graph, l)
		return n.MatMulNBits(x, weight, scale, bias, quantizationBlock)
	default:
		return n.plus(n.MatMul(x, n.store.transposed(n.Graph, l)), bias)
	}
}

// bias is the biases of l side by side.
func (n *network) bias(l linear) onnx.Value {
	return n.store.floats(n.Graph, l.name()+".bias", func() ([]float32, error) {
		values, err := n.store.readAll(l.names(".bias"), l.output)
		if err != nil {
			return nil, err
		}
		divide(values, n.store.plan.columns[l.name()])
		return values, nil
	}, l.width())
}

// plus is x with a bias, unless it is missing.
func (n *network) plus(x, bias onnx.Value) onnx.Value {
	if bias.Missing() {
		return x
	}
	return n.Add(x, bias)
}

// apply is the whole layer: product and bias.
func (n *network) apply(x onnx.Value, l linear) onnx.Value { return n.applyBias(x, l, n.bias(l)) }

// applyBias is the product and another bias than the layer's own.
func (n *network) applyBias(x onnx.Value, l linear, bias onnx.Value) onnx.Value {
	if n.store.taps != nil {
		return n.Add(n.product(x, l), bias)
	}
	return n.multiply(x, l, bias)
}

// biasAfter is the bias of the layer after another, with what it makes of the
// other's bias.
func (n *network) biasAfter(before, after linear) onnx.Value {
	return n.store.floats(n.Graph, after.name()+".bias_after", func() ([]float32, error) {
		passed, err := n.store.readAll(before.names(".bias"), before.output)
		if err != nil {
			return nil, err
		}
		weights, err := n.store.matrix(after)
		if err != nil {
			return nil, err
		}
		values, err := n.store.readAll(after.names(".bias"), after.output)
		if err != nil {
			return nil, err
		}
		for i, value := range multiplyRows(weights, passed) {
			values[i] += value
		}
		return values, nil
	}, after.width())
}

// productByRows is the product of x with the quantised weights of l, with a bias
// unless it is missing, where every row of x has a scale of its own.
func (n *network) productByRows(x onnx.Value, l linear, bias onnx.Value) onnx.Value {
	weight, scale := n.store.quantized(n.Graph, l)
	x, offset, positive := n.shift(x, l)
	magnitude, levels, middle := x, float32(255), byte(0)
	if !positive {
		magnitude, levels, middle = n.Absolute(x), 127, 128
	}
	largest := n.Maximum(n.Largest(magnitude, len(x.Shape)-1), n.Float(1e-30))
	step := n.Float(1 / levels)
	zero := n.Constant(fmt.Sprintf("uint8/%d", middle), onnx.Tensor{Type: onnx.Uint8, Raw: []byte{middle}})
	codes := n.QuantizeLinear(n.Divide(x, largest), step, zero)
	y := n.Multiply(n.MatMulIntegerToFloat(codes, weight, step, scale, zero, onnx.Value{}), largest)
	if !offset.Missing() && !bias.Missing() {
		bias = n.Add(bias, offset) // which the runtime does once, when the graph is opened
	} else if bias.Missing() {
		bias = offset
	}
	return n.plus(y, bias)
}

// shift takes off the rows x what all have in common, so that quantising loses
// less of what tells them apart: the centre that the plan has for l, or the least
// value of the activation before, from which unsigned codes can count. Then offset
// is what the product lacks; positive says that nothing in shifted is below zero.
func (n *network) shift(x onnx.Value, l linear) (shifted, offset onnx.Value, positive bool) {
	if centre := n.store.plan.centres[l.name()]; centre != nil {
		load := func() ([]float32, error) { return centre, nil }
		x = n.Subtract(x, n.store.floats(n.Graph, l.name()+".centre", load, l.input))
		return x, n.store.offset(n.Graph, l, nil), false
	}
	if l.least < 0 {
		return n.Subtract(x, n.Float(l.least)), n.store.offset(n.Graph, l, nil), true
	}
	return x, onnx.Value{}, false
}

// normalization is the scale and shift of a layer norm.
func (n *network) normalization(name string, width int) (scale, shift onnx.Value) {
	load := func(suffix string) onnx.Value {
		return n.store.floats(n.Graph, name+suffix, func() ([]float32, error) {
			values, err := n.store.read(name+suffix, width)
			if err != nil {
				return nil, err
			}
			divide(values, n.store.plan.norms[name])
			return values, nil
		}, width)
	}
	return load(".weight"), load(".bias")
}

// normalize is the layer norm of x under this name.
func (n *network) normalize(x onnx.Value, name string, width int, epsilon float64) onnx.Value {
	scale, shift := n.normalization(name, width)
	return n.LayerNorm(x, scale, shift, epsilon)
}

// transposed is the weights of l as a matrix [input, width].
func (s *store) transposed(g *onnx.Graph, l linear) onnx.Value {
	return s.floats(g, l.name()+".weight", func() ([]float32, error) {
		values, err := s.matrix(l)
		if err != nil {
			return nil, err
		}
		return transpose(values, l.width(), l.input), nil
	}, l.input, l.width())
}

// matrix reads the weights of l as rows [width, input], with what the plan
// folds into them.
func (s *store) matrix(l linear) ([]float32, error) {
	values, err := s.readAll(l.names(".weight"), l.output, l.input)
	if err != nil {
		return nil, err
	}
	rows, columns := s.plan.rows[l.name()], s.plan.columns[l.name()]
	for i := range l.width() {
		row := values[i*l.input : (i+1)*l.input]
		scaleBy(row, rows)
		if columns != nil {
			for j := range row {
				row[j] /= columns[i]
			}
		}
	}
	return values, nil
}

// transpose turns a row-major matrix [rows, columns] into [columns, rows].
func transpose(values []float32, rows, columns int) []float32 {
	const block = 32 // of rows and columns, to stay in the cache
	result := make([]float32, len(values))
	for top := 0; top < rows; top += block {
		for left := 0; left < columns; left += block {
			for i := top; i < min(top+block, rows); i++ {
				for j := left; j < min(left+block, columns); j++ {
					result[j*rows+i] = values[i*columns+j]
				}
			}
		}
	}
	return result
}

// scaleBy scales values by factors, if there are any.
func scaleBy(values, factors []float32) {
	if factors == nil {
		return
	}
	for i := range values {
		values[i] *= factors[i]
	}
}

// divide divides values by divisors, if there are any.
func divide(values, divisors []float32) {
	if divisors == nil {
		return
	}
	for i := range values {
		values[i] /= divisors[i]
	}
}
