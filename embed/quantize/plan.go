package quantize

import "slices"

// Method is how a matrix product is computed, as manifest.LayerChoice has it.
type Method string

// The methods, from the fastest on.
const (
	PerRun   Method = "int8"        // one activation scale for each run
	PerRow   Method = "int8_rows"   // one activation scale for each row
	PerBlock Method = "int8_blocks" // scales for each row or output and each block of input features
	// PerWideBlock is PerBlock with blocks four times as wide: fewer scales to read and to multiply by.
	PerWideBlock Method = "int8_wide_blocks"
	PerBlock4    Method = "int4_blocks" // the same with weights of 4 bits
	Half         Method = "fp16"        // products and attention in half precision; all other arithmetic in float32
	Float32      Method = "fp32"
)

// Plan says for every matrix product how it is computed, and what is folded
// into weights to make quantisation lose less. Its zero value is float32
// throughout.
//
// Folding divides the features between two layers by factors and multiplies
// the reading weights by the same factors, so that features of very different
// size share one activation scale with less loss.
type Plan struct {
	methods  map[string]Method
	fallback Method               // for products without a method of their own
	rows     map[string][]float32 // factors for the input features of a product
	columns  map[string][]float32 // divisors for the output features of a product and its bias
	norms    map[string][]float32 // divisors for the features of a layer norm
	centres  map[string][]float32 // what is taken off the input features of a product in PerRow
	weighs   map[string][]float32 // how much an error in the weights of an input feature of a product counts in PerBlock4
}

// NewPlan makes a plan that computes every product by one method, unless another is
// chosen for it.
func NewPlan(fallback Method) Plan {
	return Plan{methods: map[string]Method{}, fallback: fallback, rows: map[string][]float32{},
		columns: map[string][]float32{}, norms: map[string][]float32{}, centres: map[string][]float32{}, weighs: map[string][]float32{}}
}

func (p Plan) method(of Product) Method {
	if chosen, ok := p.methods[of.Name()]; ok {
		return chosen
	}
	if p.fallback == "" {
		return Float32
	}
	return p.fallback
}

// Choose sets the method of one product, by its name.
func (p Plan) Choose(product string, method Method) { p.methods[product] = method }

// DivideNorm folds factors into the layer norm of this name.
func (p Plan) DivideNorm(name string, factors []float32) { p.norms[name] = factors }

// DivideOutputs folds factors into the outputs of a product, leaving the first
// ones as they are.
func (p Plan) DivideOutputs(product Product, first int, factors []float32) {
	p.columns[product.Name()] = append(slices.Repeat([]float32{1}, first), factors...)
}
