// Products by weights of 4 or 8 bits with a scale for each block of features, for processors with AVX-512 VNNI. See doc.go.
#ifndef MEKIKI_BLOCKS_H
#define MEKIKI_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

// Weights as MatMulNBits has them: for each column its blocks of codes around the middle of their range, two in a byte where they
// have 4 bits, the lower half first.
typedef struct {
	const uint8_t *codes; // [width][count][block*bits/8]
	const float *scales;  // [width][count]
	size_t inner, width;
	size_t block; // features, a multiple of BLOCK_STEP and at most MOST_BLOCK
	int bits;     // 4 or 8
} block_weights;

enum { BLOCK_STEP = 32, MOST_BLOCK = 256 };

// The same, packed in panels of columns. Products of equal weights share them.
typedef struct packed_blocks packed_blocks;

packed_blocks *blocks_acquire(const block_weights *weights);
void blocks_release(packed_blocks *p);

// What is done to the rows before they are multiplied.
enum {
	ACTIVATION_NONE = 0,
	ACTIVATION_RELU = 1,
	ACTIVATION_GELU = 2,      // x times the share of the normal distribution below it
	ACTIVATION_TANH_GELU = 3, // its approximation with tanh
	ACTIVATION_SILU = 4,      // x·sigmoid(x)
	ACTIVATIONS = 5,
};

// The steps of a product of rows x inner by inner x width. Those that take an index may run side by side.
typedef struct {
	const float *x, *bias; // bias: width values, or null
	size_t rows;
	int activation, gated; // gated: x has twice as many columns, and those of the first half, activated, are multiplied by those of the second
	const packed_blocks *weights;
	const float *add; // add_rows rows of width values that are added at the end, over and over, or null
	size_t add_rows;
	float *y;
	// Computed:
	int8_t *codes;
	float *steps;
	int32_t *starts;
} block_product;

size_t blocks_scratch(const block_product *p); // bytes
void blocks_prepare(block_product *p, void *scratch);
size_t blocks_chunks(const block_product *p); // how many chunks of rows there are
void blocks_quantize(block_product *p, size_t chunk);
size_t blocks_parts(const block_product *p); // how many parts of the columns there are
void blocks_part(block_product *p, size_t part);

#endif
