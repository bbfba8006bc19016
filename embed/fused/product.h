// Products of 8-bit integers for processors with AVX-512 VNNI. See doc.go.
#ifndef MEKIKI_PRODUCT_H
#define MEKIKI_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

// How activations become unsigned codes of 8 bits.
enum {
	MODE_ROWS = 0,     // a scale for each row: 127 levels on either side of 128
	MODE_POSITIVE = 1, // a scale for each row of values that are not negative: 255 levels from 0
	MODE_RUN = 2,      // one scale and zero point for all rows, as DynamicQuantizeLinear has them
};

// Weights, packed in panels of columns. Products of equal weights share them.
typedef struct packed packed;

packed *packed_acquire(const int8_t *weights, size_t inner, size_t width);
void packed_release(packed *p);

// The steps of a product of rows x inner by inner x width. Those that take an index may run side by side.
typedef struct {
	const float *x, *shift, *scale, *bias, *bias2; // shift: one value or inner values, or null; scale, bias, bias2: width values; biases may be null
	size_t rows, shifts;
	int mode, gelu, tiles; // tiles: whether they are used, where there are any
	const packed *weights;
	const float *add; // add_rows rows of width values that are added at the end, over and over, or null
	size_t add_rows;
	float *y;
	// Computed:
	uint8_t *codes;
	size_t stride, block_rows; // by tiles: rows of a block, else 0
	float *steps;     // of each row
	int32_t zero;     // the code of nothing
	float *extremes;  // least and largest value of each block of rows
} product;

enum { BLOCK_ROWS = 8 };

size_t product_scratch(const product *p);           // bytes
void product_prepare(product *p, void *scratch);    // divides the scratch memory
size_t product_blocks(const product *p);            // how many blocks of rows there are
void product_range(product *p, size_t block);       // only for MODE_RUN, before product_quantize
void product_join(product *p);                      // only for MODE_RUN, after all product_range
void product_quantize(product *p, size_t block);
size_t product_parts(const product *p); // how many parts of the columns there are
void product_part(product *p, size_t part);

#endif
