// Package fused multiplies activations by weights of 8-bit integers in ONNX Runtime, with what comes before and after such
// a product in one node: each row's scale, the biases, and the GELU. It does so on Linux with AVX-512 VNNI; elsewhere the
// runtime's own operators do the same.
//
//	x ──► codes of 8 bits, a scale for each row ──► vpdpbusd, 12 rows by 32 columns at once ──► scale, bias, GELU ──► y
//	weights, packed once for all sessions ────────────┘
//
// Why our own: the runtime's kernel for these products reaches half of the processor's speed with the few rows of a text and
// two thirds with an image's, where this one reaches nine tenths; and the six nodes around each product are a tenth of a
// text's time. Figures: docs/measurements/speed.md. Models do not know of it: onnx.Fuse rewrites a graph when it is opened.
package fused
