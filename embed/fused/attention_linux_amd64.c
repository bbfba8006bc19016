#include "attention.h"
#include "tiles.h"
#include "vectors.h"

#include <math.h>
#include <string.h>

// What one head's keys and values are packed into, and the rows that are being worked on. A word is what one step of a sum
// reads: a float, or two floats of 16 bits.
typedef struct {
	size_t rows;                     // at once
	size_t depth_words, key_words;   // words of a query, and of a row of weights: by tiles whole steps, with zeros at the end
	size_t key_panels, depth_panels; // of PANEL columns
	uint32_t *keys;                  // [key_panels][depth_words][PANEL]
	uint32_t *values;                // [depth_panels][key_words][PANEL]
	uint32_t *queries;               // [rows][depth_words]
	uint32_t *weights;               // [rows][key_words]
	float *scores;                   // [rows][key_panels*PANEL]
	float sums[TILES_ROWS];          // of each row's weights
} strip;

static int by_tiles(const attention *a) { return a->half && a->tiles && tiles_halves_available(); }

// Rows of words are written by whole vectors, in their order: what is beyond one is the next one's, and beyond the last is room.
static size_t lay_out(const attention *a, strip *s, char *scratch) {
	size_t at = 0;
	s->depth_words = a->half ? (a->depth + 1) / 2 : a->depth, s->key_words = a->half ? (a->keys + 1) / 2 : a->keys;
	s->rows = MOST_ROWS;
	if (by_tiles(a))
		s->rows = TILES_ROWS, s->depth_words = round_up(s->depth_words, TILES_WORDS), s->key_words = round_up(s->key_words, TILES_WORDS);
	s->key_panels = (a->keys + PANEL - 1) / PANEL, s->depth_panels = (a->depth + PANEL - 1) / PANEL;
	s->keys = (uint32_t *)(scratch + at), at += padded(s->key_panels * s->depth_words * PANEL * 4);
	s->values = (uint32_t *)(scratch + at), at += padded(s->depth_panels * s->key_words * PANEL * 4);
	s->queries = (uint32_t *)(scratch + at), at += padded(s->rows * s->depth_words * 4) + 64;
	s->weights = (uint32_t *)(scratch + at), at += padded(s->rows * s->key_words * 4) + 64;
	s->scores = (float *)(scratch + at), at += padded(s->rows * s->key_panels * PANEL * 4);
	return at;
}

size_t attention_scratch(const attention *a) {
	strip s;
	return lay_out(a, &s, NULL);
}

int attention_half(void) { return __builtin_cpu_supports("avx512bf16") != 0; }

// Instructions of AVX512-BF16 are written out, so that only what knows of them needs them.
INLINE __m256i halves(__m512 x) {
	__m256i y;
	__asm__("vcvtneps2bf16 %1, %0" : "=v"(y) : "v"(x));
	return y;
}

// Writes 16 values from number i of a row on.
INLINE void write_words(uint32_t *row, size_t i, __m512 x, int half) {
	if (half)
		_mm256_storeu_si256((__m256i *)((uint16_t *)row + i), halves(x));
	else
		_mm512_storeu_ps((float *)row + i, x);
}

// One row times factor, with a bias or without, as words.
INLINE void convert(uint32_t *words, const float *row, const float *bias, float factor, size_t depth, int half) {
	for (size_t i = 0; i < depth; i += 16) {
		__m512 x = _mm512_maskz_loadu_ps(left(depth - i), row + i);
		if (bias)
			x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(left(depth - i), bias + i));
		write_words(words, i, _mm512_mul_ps(x, _mm512_set1_ps(factor)), half);
	}
}

INLINE void pack_keys(const attention *a, strip *s, const float *keys, int half) {
	size_t words = s->depth_words;
	memset(s->keys + (s->key_panels - 1) * words * PANEL, 0, words * PANEL * 4);
	for (size_t j = 0; j < a->keys; j++) {
		convert(s->queries, keys + j * a->key.stride, NULL, 1, a->depth, half);
		uint32_t *to = s->keys + j / PANEL * words * PANEL + j % PANEL;
		for (size_t w = 0; w < words; w++)
			to[w * PANEL] = s->queries[w];
	}
}

INLINE void pack_values(const attention *a, strip *s, const float *values, int half) {
	for (size_t w = 0; w < s->key_words; w++)
		for (size_t c = 0; c < s->depth_panels * PANEL; c += 16) {
			__mmask16 mask = c < a->depth && (!half || 2 * w < a->keys) ? left(a->depth - c) : 0;
			__m512i word;
			if (half) {
				const float *pair = values + 2 * w * a->value.stride + c;
				__m512i low = _mm512_cvtepu16_epi32(halves(_mm512_maskz_loadu_ps(mask, pair)));
				__m512i high = _mm512_cvtepu16_epi32(halves(_mm512_maskz_loadu_ps(2 * w + 1 < a->keys ? mask : 0, pair + a->value.stride)));
				word = _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
			} else {
				word = (__m512i)_mm512_maskz_loadu_ps(mask, values + w * a->value.stride + c);
			}
			_mm512_store_si512(s->values + c / PANEL * s->key_words * PANEL + w * PANEL + c % PANEL, word);
		}
}

// sums = rows of words times a panel; the compiler knows rows, vectors and half. Written out because compilers copy sums around otherwise.
INLINE void multiply(const uint32_t *a, size_t words, const uint32_t *b, const int rows, const int vectors, const int half, __m512 sums[MOST_ROWS][2]) {
	__m512 total[MOST_ROWS][2];
#pragma GCC unroll 12
	for (int r = 0; r < rows; r++)
		total[r][0] = total[r][1] = _mm512_setzero_ps();
	for (size_t w = 0; w < words; w++, b += PANEL) {
		__m512 first = _mm512_load_ps(b), second = first;
		if (vectors == 2)
			second = _mm512_load_ps(b + 16);
#pragma GCC unroll 12
		for (int r = 0; r < rows; r++) {
			__m512 word = (__m512)_mm512_set1_epi32((int32_t)a[r * words + w]);
			if (half) {
				__asm__("vdpbf16ps %2, %1, %0" : "+v"(total[r][0]) : "v"(word), "v"(first));
				if (vectors == 2)
					__asm__("vdpbf16ps %2, %1, %0" : "+v"(total[r][1]) : "v"(word), "v"(second));
			} else {
				__asm__("vfmadd231ps %2, %1, %0" : "+v"(total[r][0]) : "v"(word), "v"(first));
				if (vectors == 2)
					__asm__("vfmadd231ps %2, %1, %0" : "+v"(total[r][1]) : "v"(word), "v"(second));
			}
		}
	}
#pragma GCC unroll 12
	for (int r = 0; r < rows; r++)
		sums[r][0] = total[r][0], sums[r][1] = total[r][1];
}

#define MULTIPLY(name, rows, vectors, half) \
	VNNI static void __attribute__((noinline)) name(const uint32_t *a, size_t words, const uint32_t *b, __m512 sums[MOST_ROWS][2]) { \
		multiply(a, words, b, rows, vectors, half, sums); \
	}
MULTIPLY(whole_12_2, 12, 2, 0)
MULTIPLY(whole_12_1, 12, 1, 0)
MULTIPLY(whole_4_2, 4, 2, 0)
MULTIPLY(whole_1_2, 1, 2, 0)
MULTIPLY(half_12_2, 12, 2, 1)
MULTIPLY(half_12_1, 12, 1, 1)
MULTIPLY(half_4_2, 4, 2, 1)
MULTIPLY(half_1_2, 1, 2, 1)

// How many of the rows that are left are multiplied at once.
INLINE size_t at_once(size_t rows) { return rows >= 12 ? 12 : rows >= 4 ? 4 : 1; }

INLINE void multiply_rows(const uint32_t *a, size_t words, const uint32_t *b, size_t rows, int narrow, int half, __m512 sums[MOST_ROWS][2]) {
	if (rows == 12 && narrow)
		(half ? half_12_1 : whole_12_1)(a, words, b, sums);
	else if (rows == 12)
		(half ? half_12_2 : whole_12_2)(a, words, b, sums);
	else if (rows == 4)
		(half ? half_4_2 : whole_4_2)(a, words, b, sums);
	else
		(half ? half_1_2 : whole_1_2)(a, words, b, sums);
}

// The weights of a row: exp of its scores less the largest. They are divided by their sum later.
INLINE float weigh(uint32_t *weights, float *scores, const float *bias, size_t keys, int half) {
	const __m512 lowest = _mm512_set1_ps(-INFINITY);
	__m512 largest = lowest, sum = _mm512_setzero_ps();
	for (size_t i = 0; i < keys; i += 16) {
		__m512 x = _mm512_loadu_ps(scores + i);
		if (bias)
			x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(left(keys - i), bias + i));
		x = _mm512_mask_mov_ps(lowest, left(keys - i), x);
		_mm512_storeu_ps(scores + i, x);
		largest = _mm512_max_ps(largest, x);
	}
	const __m512 most = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
	for (size_t i = 0; i < keys; i += 16) {
		__m512 x = _mm512_sub_ps(_mm512_loadu_ps(scores + i), most);
		// What is masked counts nothing at all.
		x = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(-87), _CMP_GT_OQ), exponential(x));
		sum = _mm512_add_ps(sum, x);
		write_words(weights, i, x, half);
	}
	return _mm512_reduce_add_ps(sum);
}

INLINE void score(const attention *a, strip *s, size_t rows, const float *bias, size_t bias_stride, int half) {
	size_t stride = s->key_panels * PANEL;
	for (size_t p = 0; p < s->key_panels; p++) {
		__m512 sums[MOST_ROWS][2];
		multiply_rows(s->queries, s->depth_words, s->keys + p * s->depth_words * PANEL, rows, a->keys - p * PANEL <= 16, half, sums);
		for (size_t r = 0; r < rows; r++) {
			_mm512_store_ps(s->scores + r * stride + p * PANEL, sums[r][0]);
			_mm512_store_ps(s->scores + r * stride + p * PANEL + 16, sums[r][1]);
		}
	}
	for (size_t r = 0; r < rows; r++)
		s->sums[r] = weigh(s->weights + r * s->key_words, s->scores + r * stride, bias ? bias + r * bias_stride : NULL, a->keys, half);
}

// Writes a panel of a result's row, sums times share, of the head whose columns begin at from.
INLINE void finish(const attention *a, size_t row, size_t from, size_t panel, float share, const __m512 sums[2]) {
	for (size_t v = 0, c = panel * PANEL; v < 2 && c < a->depth; v++, c += 16) {
		__mmask16 mask = left(a->depth - c);
		__m512 y = _mm512_mul_ps(sums[v], _mm512_set1_ps(share));
		if (a->value_bias)
			y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, a->value_bias + from + c));
		_mm512_mask_storeu_ps(a->y + row * a->heads * a->depth + from + c, mask, y);
	}
}

INLINE void head(const attention *a, size_t i, void *scratch, int half) {
	strip s;
	lay_out(a, &s, scratch);
	size_t batch = i / a->heads, number = i % a->heads, from = number * a->depth;
	const float *queries = a->query.data + batch * a->query.batch + from, *query_bias = a->query_bias ? a->query_bias + from : NULL;
	const float *score_bias = a->score_bias ? a->score_bias + batch * a->score_batch + number * a->score_head : NULL;
	pack_keys(a, &s, a->key.data + batch * a->key.batch + from, half);
	pack_values(a, &s, a->value.data + batch * a->value.batch + from, half);
	for (size_t row = 0, rows; row < a->queries; row += rows) {
		rows = at_once(a->queries - row);
		for (size_t r = 0; r < rows; r++)
			convert(s.queries + r * s.depth_words, queries + (row + r) * a->query.stride, query_bias, a->scale, a->depth, half);
		score(a, &s, rows, score_bias ? score_bias + row * a->keys : NULL, a->keys, half);
		for (size_t p = 0; p < s.depth_panels; p++) {
			__m512 sums[MOST_ROWS][2];
			multiply_rows(s.weights, s.key_words, s.values + p * s.key_words * PANEL, rows, a->depth - p * PANEL <= 16, half, sums);
			for (size_t r = 0; r < rows; r++)
				finish(a, batch * a->queries + row + r, from, p, 1 / s.sums[r], sums[r]);
		}
	}
}

// The same by tiles, for blocks of about as many rows each.
VNNI static void head_by_tiles(const attention *a, size_t i, void *scratch) {
	strip s;
	lay_out(a, &s, scratch);
	memset(s.queries, 0, s.rows * s.depth_words * 4);
	memset(s.weights, 0, s.rows * s.key_words * 4);
	size_t batch = i / a->heads, number = i % a->heads, from = number * a->depth, stride = s.key_panels * PANEL;
	const float *queries = a->query.data + batch * a->query.batch + from, *query_bias = a->query_bias ? a->query_bias + from : NULL;
	const float *score_bias = a->score_bias ? a->score_bias + batch * a->score_batch + number * a->score_head : NULL;
	pack_keys(a, &s, a->key.data + batch * a->key.batch + from, 1);
	pack_values(a, &s, a->value.data + batch * a->value.batch + from, 1);
	size_t rows = tiles_block(a->queries);
	tiles_begin(rows);
	for (size_t row = 0; row < a->queries; row += rows) {
		size_t count = a->queries - row < rows ? a->queries - row : rows;
		for (size_t r = 0; r < count; r++)
			convert(s.queries + r * s.depth_words, queries + (row + r) * a->query.stride, query_bias, a->scale, a->depth, 1);
		for (size_t p = 0; p < s.key_panels; p++)
			tiles_multiply_halves(rows, s.queries, s.depth_words, s.keys + p * s.depth_words * PANEL, a->keys - p * PANEL <= 16, s.scores + p * PANEL, stride);
		for (size_t r = 0; r < count; r++)
			s.sums[r] = weigh(s.weights + r * s.key_words, s.scores + r * stride, score_bias ? score_bias + (row + r) * a->keys : NULL, a->keys, 1);
		for (size_t p = 0; p < s.depth_panels; p++) {
			__m512 sums[TILES_ROWS][2];
			tiles_multiply_halves(rows, s.weights, s.key_words, s.values + p * s.key_words * PANEL, a->depth - p * PANEL <= 16, (float *)sums, PANEL);
			for (size_t r = 0; r < count; r++)
				finish(a, batch * a->queries + row + r, from, p, 1 / s.sums[r], sums[r]);
		}
	}
	tiles_end();
}

VNNI void attention_head(const attention *a, size_t i, void *scratch) {
	if (by_tiles(a))
		head_by_tiles(a, i, scratch);
	else if (a->half)
		head(a, i, scratch, 1);
	else
		head(a, i, scratch, 0);
}
