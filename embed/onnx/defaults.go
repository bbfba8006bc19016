package onnx

// maximumModelBytes is the size that a protobuf message has to stay below.
const maximumModelBytes = 1 << 31

// mostFeatures bounds what a fused product adds up, so that the sums of 8-bit products fit in 32 bits.
const mostFeatures = 1 << 16

// mostTraced bounds the nodes that are followed from a query to the product that it comes from.
const mostTraced = 4

// leastBlock and mostBlock bound the features of a block that a fused product multiplies by; blocks are multiples of the first.
const (
	leastBlock = 32
	mostBlock  = 256
)
