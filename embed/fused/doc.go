// Package fused computes parts of models in ONNX Runtime by operators of its own, on Linux with AVX-512 VNNI; elsewhere the
// runtime's own operators do the same.
//
// QuantizedProduct multiplies activations by weights of 8-bit integers, with what comes before and after such a product: each
// row's scale, the biases, the GELU, and the sum with the residual stream.
//
//	x ──► codes of 8 bits, a scale for each row ──► vpdpbusd, 12 rows by 32 columns at once ──► scale, bias, GELU ──► y
//	weights, packed once for all sessions ────────────┘
//
// Processors with AMX multiply tiles of 16 rows by 64 codes instead: 32 rows by 32 columns at once. Codes then lie in blocks of 32 rows
// and 64 features, and sums of a panel's rows wait in memory while the next features come. FusedAttention multiplies its 16-bit floats so too.
//
// BlockProduct multiplies by weights of 4 or 8 bits with a scale for each block of features, of language models, with the activation
// and the gate before and the sum after such a product. One row takes the
// time that reading the weights takes, so they are packed into one stretch of memory that is read from one end to the other: the
// codes of a block of 32 columns, then its scales in half precision. Activations become codes of 8 bits, block by block.
//
//	x ──► activation, gate ──► codes of 8 bits, a scale for each row and block ──► vpdpbusd, up to 12 rows by 16 columns ──► scales ──► sum, bias ──► y
//	weights, packed once for all sessions, in large pages ──────┘
//
// FusedAttention is softmax(scale·Q·Kᵀ + score bias)·V, head by head, twelve queries at a time, so that their scores never leave
// the processor's caches. Query, key and value may be columns of one tensor. The biases of keys are left out, since they add the
// same to all scores of a query; those of values are added at the end, since weights add up to one.
//
//	a head's K and V, packed ──► 12 queries: Q·Kᵀ ──► exp ──► ·V ──► divided by the sum, plus bias ──► y
//
// Why our own: the runtime's kernel for such products reaches half of the processor's speed with the few rows of a text and two
// thirds with an image's, where this one reaches nine tenths; its kernel for blocks reads memory at less than half the speed that
// memory has, and multiplies the rows of a prompt at a third of this one's speed; the six nodes around each product are a tenth of a text's time; and
// the runtime's attention copies its inputs and multiplies floats of 32 bits, which takes twice as long. Figures:
// docs/measurements/speed.md. Models do not know of it: onnx.Fuse rewrites a graph when it is opened.
package fused
