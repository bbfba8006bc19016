package quantize

import (
	"fmt"

	"mekiki/embed/onnx"
)

// Network builds one graph from a store's weights: products are computed as the
// store's plan says.
type Network struct {
	*onnx.Graph
	store *Store
}

// NewNetwork begins a graph of this name.
func NewNetwork(name string, weights *Store) *Network {
	return &Network{onnx.NewGraph(name), weights}
}

// Has reports whether the checkpoint has a tensor of this name.
func (n *Network) Has(name string) bool { return n.store.weights.Has(name) }

// Tensor is a checkpoint's tensor of shape from as it is, reshaped.
func (n *Network) Tensor(name string, from []int, to ...int) onnx.Value {
	return n.store.floats(n.Graph, name, func() ([]float32, error) { return n.store.read(name, from...) }, to...)
}

// Vector is a checkpoint's vector of this length.
func (n *Network) Vector(name string, length int) onnx.Value {
	return n.Tensor(name, []int{length}, length)
}

// Product is x [... input] times the weights of p, without biases.
func (n *Network) Product(x onnx.Value, p Product) onnx.Value {
	y := n.multiply(x, p, onnx.Value{})
	if n.store.taps != nil {
		n.store.taps.add(p, x, y)
	}
	return y
}

// TableProduct is Product whose weights, where they are in float32, are a table
// [width, input] that graphs read for other reasons too.
func (n *Network) TableProduct(x onnx.Value, p Product, table func() onnx.Value) onnx.Value {
	if n.store.plan.method(p) != Float32 {
		return n.Product(x, p)
	}
	y := n.MatMulTransposed(x, table())
	if n.store.taps != nil {
		n.store.taps.add(p, x, y)
	}
	return y
}

// multiply adds the nodes of a product and of the bias, unless it is missing.
func (n *Network) multiply(x onnx.Value, p Product, bias onnx.Value) onnx.Value {
	switch n.store.plan.method(p) {
	case PerRun:
		weight, scale := n.store.quantized(n.Graph, p)
		return n.DynamicQuantizeMatMul(x, weight, scale, bias)
	case PerRow:
		return n.productByRows(x, p, bias)
	case PerBlock:
		weight, scale := n.store.blocks(n.Graph, p, blockSize)
		return n.MatMulNBits(x, weight, scale, bias, 8, blockSize)
	case PerWideBlock:
		weight, scale := n.store.blocks(n.Graph, p, wideBlockSize)
		return n.MatMulNBits(x, weight, scale, bias, 8, wideBlockSize)
	case PerBlock4:
		weight, scale := n.store.blocks4(n.Graph, p)
		return n.MatMulNBits(x, weight, scale, bias, 4, blockSize)
	case Half:
		return n.plus(n.Cast(n.MatMul(n.Cast(x, onnx.Float16), n.store.half(n.Graph, p)), onnx.Float32), bias)
	default:
		return n.plus(n.MatMul(x, n.store.transposed(n.Graph, p)), bias)
	}
}

// Attend is an attention node without a past. Where products are in half precision, so is it: providers sum up the softmax in
// float32 all the same.
func (n *Network) Attend(a onnx.Attention) onnx.Value {
	if n.store.plan.fallback != Half {
		context, _, _ := n.MultiHeadAttention(a)
		return context
	}
	for _, value := range []*onnx.Value{&a.Query, &a.Key, &a.Value, &a.Bias, &a.ScoreBias} {
		if !value.Missing() {
			*value = n.Cast(*value, onnx.Float16)
		}
	}
	context, _, _ := n.MultiHeadAttention(a)
	return n.Cast(context, onnx.Float32)
}

// Bias is the biases of p side by side.
func (n *Network) Bias(p Product) onnx.Value {
	return n.store.floats(n.Graph, p.Name()+".bias", func() ([]float32, error) {
		values, err := n.store.readAll(p.names(".bias"), p.Output)
		if err != nil {
			return nil, err
		}
		divide(values, n.store.plan.columns[p.Name()])
		return values, nil
	}, p.Width())
}

// plus is x with a bias, unless it is missing.
func (n *Network) plus(x, bias onnx.Value) onnx.Value {
	if bias.Missing() {
		return x
	}
	return n.Add(x, bias)
}

// Apply is the whole layer: product and bias.
func (n *Network) Apply(x onnx.Value, p Product) onnx.Value { return n.ApplyBias(x, p, n.Bias(p)) }

// ApplyBias is the product and another bias than the layer's own.
func (n *Network) ApplyBias(x onnx.Value, p Product, bias onnx.Value) onnx.Value {
	if n.store.taps != nil {
		return n.Add(n.Product(x, p), bias)
	}
	return n.multiply(x, p, bias)
}

// BiasAfter is the bias of the layer after another, with what it makes of the
// other's bias.
func (n *Network) BiasAfter(before, after Product) onnx.Value {
	return n.store.floats(n.Graph, after.Name()+".bias_after", func() ([]float32, error) {
		passed, err := n.store.readAll(before.names(".bias"), before.Output)
		if err != nil {
			return nil, err
		}
		weights, err := n.store.matrix(after)
		if err != nil {
			return nil, err
		}
		values, err := n.store.readAll(after.names(".bias"), after.Output)
		if err != nil {
			return nil, err
		}
		for i, value := range multiplyRows(weights, passed) {
			values[i] += value
		}
		return values, nil
	}, after.Width())
}

// productByRows is the product of x with the quantised weights of p, with a bias
// unless it is missing, where every row of x has a scale of its own.
func (n *Network) productByRows(x onnx.Value, p Product, bias onnx.Value) onnx.Value {
	weight, scale := n.store.quantized(n.Graph, p)
	x, offset, positive := n.shift(x, p)
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
// less of what tells them apart: the centre that the plan has for p, or the least
// value of the activation before, from which unsigned codes can count. Then offset
// is what the product lacks; positive says that nothing in shifted is below zero.
func (n *Network) shift(x onnx.Value, p Product) (shifted, offset onnx.Value, positive bool) {
	if centre := n.store.plan.centres[p.Name()]; centre != nil {
		load := func() ([]float32, error) { return centre, nil }
		x = n.Subtract(x, n.store.floats(n.Graph, p.Name()+".centre", load, p.Input))
		return x, n.store.offset(n.Graph, p, nil), false
	}
	if p.Least < 0 {
		return n.Subtract(x, n.Float(p.Least)), n.store.offset(n.Graph, p, nil), true
	}
	return x, onnx.Value{}, false
}

// normalizer is the scale or the shift of a norm.
func (n *Network) normalizer(name, suffix string, width int) onnx.Value {
	return n.store.floats(n.Graph, name+suffix, func() ([]float32, error) {
		values, err := n.store.read(name+suffix, width)
		if err != nil {
			return nil, err
		}
		divide(values, n.store.plan.norms[name])
		return values, nil
	}, width)
}

// Normalize is the layer norm of x under this name.
func (n *Network) Normalize(x onnx.Value, name string, width int, epsilon float64) onnx.Value {
	return n.LayerNorm(x, n.normalizer(name, ".weight", width), n.normalizer(name, ".bias", width), epsilon)
}

// RootMeanSquareNormalize is the root-mean-square norm of x under this name.
func (n *Network) RootMeanSquareNormalize(x onnx.Value, name string, width int, epsilon float64) onnx.Value {
	return n.RootMeanSquareNorm(x, n.normalizer(name, ".weight", width), epsilon)
}

// Computed is a constant that is no tensor of the checkpoint, stored under this name.
func (n *Network) Computed(name string, compute func() []float32, shape ...int) onnx.Value {
	return n.store.floats(n.Graph, name, func() ([]float32, error) { return compute(), nil }, shape...)
}
