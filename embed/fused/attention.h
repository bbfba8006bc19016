// Attention, softmax(scale·Q·Kᵀ + score bias)·V for each head, for processors with AVX-512. See doc.go.
#ifndef MEKIKI_ATTENTION_H
#define MEKIKI_ATTENTION_H

#include <stddef.h>

// Rows of one of the inputs: those of one batch lie stride values apart, batches 
typedef struct {
	const float *data; // the first row's values of the first head
	size_t stride;
	size_t batch; // how far batches lie apart; 0 where all share one
} rows_of;

typedef struct {
	rows_of query, key, value;
	size_t batches, heads, depth; // depth: values of a head in a row
	size_t queries, keys;
	float scale;
	const float *query_bias, *value_bias; // heads*depth values each, or null; that of keys has no effect on the result
	const float *score_bias;              // or null
	size_t score_batch, score_head;       // how far its batches and heads lie apart; 0 where all share one
	float *y;                             // [batches][queries][heads*depth]
	int half;                             // products of 16-bit floats, where attention_half says so
	int tiles;                            // those by tiles, where there are any
} attention;

int attention_half(void);                                 // whether the processor multiplies 16-bit floats (bfloat16)
size_t attention_scratch(const attention *a);             // bytes for one head
void attention_head(const attention *a, size_t i, void *scratch); // head i of batches*heads

#endif
