// Package quantize writes models in int8: it chooses for every matrix product how
// it is stored and computed, by what that costs on samples.
//
// It knows products, samples and costs. What a model is made of, the architecture
// hands over as a [Model]: an encoder, through whose layers the samples pass one
// after another, and graphs that read what it gives.
//
//	for each product       the float32 graph's own inputs and outputs are tapped, and the
//	                       candidates tried in the order of their cost: the first that is
//	                       good enough is taken, else the best, else float32
//	for the whole model    its results are compared with float32's; the part that loses too
//	                       much is found by mixing both, and its worst products are chosen
//	                       again with narrower limits
//
// [Network] is the way to build a graph whose products follow such a [Plan]; the zero
// Plan is float32.
package quantize
