#include "blocks.h"
#include "pages.h"
#include "shared.h"
#include "vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// How much of the weights a part has, at most and at least for one row, and how many parts there are at least.
enum { PART_BYTES = 384 << 10, LEAST_PART_BYTES = 48 << 10, LEAST_PARTS = 32, PARTS_MULTIPLE = 4 };

// One step of a block, BLOCK_STEP features of a panel, is [4 or 8][PANEL columns][4 features] bytes: with 4 bits, those of the first 16
// features in the lower halves and those of the others in the upper ones. A block is its steps and then its scales, as halves
// of the largest of their column. A panel is its blocks: one stretch of memory, read from one end to the other.
struct packed_blocks {
	shared shared;
	size_t inner, width, block, count, panels;
	int bits;
	size_t size;    // bytes of a block
	uint8_t *bytes; // [panels][count] blocks
	float *largest; // scale of each column, [panels*PANEL]
};

static inline size_t step_size(int bits) { return bits == 4 ? 512 : 1024; }

// A block of a panel as it is packed; what is beyond the matrix is zero.
VNNI static void pack_block(const block_weights *w, size_t panel, size_t block, const float *largest, uint8_t *out) {
	size_t count = (w->inner + w->block - 1) / w->block, of = w->block * w->bits / 8;
	size_t columns = w->width - panel * PANEL < PANEL ? w->width - panel * PANEL : PANEL, step = step_size(w->bits);
	float scales[PANEL] = {0};
	if (columns < PANEL)
		memset(out, 0, w->block / BLOCK_STEP * step);
	for (size_t n = 0; n < columns; n++) {
		size_t column = panel * PANEL + n;
		const uint8_t *codes = w->codes + (column * count + block) * of;
		scales[n] = largest[n] ? w->scales[column * count + block] / largest[n] : 0;
		for (size_t s = 0; s < w->block / BLOCK_STEP; s++) {
			uint8_t *to = out + s * step + n * 4;
			if (w->bits == 8) {
				for (size_t k = 0; k < BLOCK_STEP; k += 4, codes += 4)
					memcpy(to + k / 4 * PANEL * 4, codes, 4);
				continue;
			}
			__m128i bytes = _mm_loadu_si128((const __m128i *)codes), half = _mm_set1_epi8(0xF);
			__m128i even = _mm_and_si128(bytes, half), odd = _mm_and_si128(_mm_srli_epi16(bytes, 4), half);
			__m128i both = _mm_or_si128(_mm_unpacklo_epi8(even, odd), _mm_slli_epi16(_mm_unpackhi_epi8(even, odd), 4));
			uint32_t words[4];
			_mm_storeu_si128((__m128i *)words, both);
			for (size_t k = 0; k < 4; k++)
				memcpy(to + k * PANEL * 4, &words[k], 4);
			codes += BLOCK_STEP / 2;
		}
	}
	uint8_t *end = out + w->block / BLOCK_STEP * step;
	_mm256_storeu_si256((__m256i *)end, _mm512_cvtps_ph(_mm512_loadu_ps(scales), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
	_mm256_storeu_si256((__m256i *)end + 1, _mm512_cvtps_ph(_mm512_loadu_ps(scales + 16), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

// The scale of largest magnitude of each column of a panel.
static void largest_scales(const block_weights *w, size_t panel, float largest[PANEL]) {
	size_t count = (w->inner + w->block - 1) / w->block;
	for (size_t n = 0; n < PANEL; n++) {
		largest[n] = 0;
		for (size_t i = 0; panel * PANEL + n < w->width && i < count; i++) {
			float scale = w->scales[(panel * PANEL + n) * count + i];
			if (!(fabsf(scale) <= fabsf(largest[n]))) // also what is no number
				largest[n] = scale;
		}
	}
}

static int equal(const shared *s, const void *given) {
	const packed_blocks *p = (const packed_blocks *)s;
	const block_weights *w = given;
	uint8_t one[MOST_BLOCK / BLOCK_STEP * 1024 + 64];
	float largest[PANEL];
	if (p->inner != w->inner || p->width != w->width || p->block != w->block || p->bits != w->bits)
		return 0;
	for (size_t panel = 0; panel < p->panels; panel++) {
		largest_scales(w, panel, largest);
		if (memcmp(largest, p->largest + panel * PANEL, sizeof largest))
			return 0;
		for (size_t i = 0; i < p->count; i++) {
			pack_block(w, panel, i, largest, one);
			if (memcmp(one, p->bytes + (panel * p->count + i) * p->size, p->size))
				return 0;
		}
	}
	return 1;
}

static void blocks_free(shared *s) {
	packed_blocks *p = (packed_blocks *)s;
	pages_give(p->bytes, p->panels * p->count * p->size);
	free(p->largest);
	free(p);
}

static shared *pack(const void *given) {
	const block_weights *w = given;
	packed_blocks *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->inner = w->inner, p->width = w->width, p->block = w->block, p->bits = w->bits;
	p->count = (w->inner + w->block - 1) / w->block, p->panels = (w->width + PANEL - 1) / PANEL;
	p->size = w->block / BLOCK_STEP * step_size(w->bits) + 64;
	p->bytes = pages_take(p->panels * p->count * p->size);
	p->largest = aligned_alloc(64, p->panels * PANEL * sizeof *p->largest);
	if (!p->bytes || !p->largest) {
		blocks_free(&p->shared);
		return NULL;
	}
	for (size_t panel = 0; panel < p->panels; panel++) {
		largest_scales(w, panel, p->largest + panel * PANEL);
		for (size_t i = 0; i < p->count; i++)
			pack_block(w, panel, i, p->largest + panel * PANEL, p->bytes + (panel * p->count + i) * p->size);
	}
	return &p->shared;
}

static shared_list list = {.equal = equal, .pack = pack, .free = blocks_free};

packed_blocks *blocks_acquire(const block_weights *w) {
	size_t count = (w->inner + w->block - 1) / w->block, codes = w->width * count * w->block * w->bits / 8, scales = w->width * count * sizeof(float);
	shared *s = shared_acquire(&list, hash_of(hash_of(w->block, w->codes, codes), w->scales, scales), w);
	leave_pages(w->codes, codes);
	leave_pages(w->scales, scales);
	return (packed_blocks *)s;
}

void blocks_release(packed_blocks *p) { shared_release(&list, &p->shared); }

// Rows are taken in chunks of nearly equal size. The codes of a chunk are [inner/4][rows][4], its steps and starts [count][rows].
typedef struct {
	size_t first, rows;
} chunk;

size_t blocks_chunks(const block_product *p) { return (p->rows + MOST_ROWS - 1) / MOST_ROWS; }

static chunk chunk_at(const block_product *p, size_t i) {
	size_t chunks = blocks_chunks(p), first = i * p->rows / chunks;
	return (chunk){first, (i + 1) * p->rows / chunks - first};
}

size_t blocks_scratch(const block_product *p) {
	const packed_blocks *w = p->weights;
	return padded(p->rows * w->count * w->block) + 2 * padded(p->rows * w->count * 4);
}

void blocks_prepare(block_product *p, void *scratch) {
	const packed_blocks *w = p->weights;
	char *at = scratch;
	p->codes = (int8_t *)at, at += padded(p->rows * w->count * w->block);
	p->steps = (float *)at, at += padded(p->rows * w->count * 4);
	p->starts = (int32_t *)at;
}

// The sigmoid of x, which is exact to a few parts in ten million.
INLINE __m512 sigmoid(__m512 x) {
	const __m512 one = _mm512_set1_ps(1);
	__m512 power = exponential(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_abs_ps(x))), below = _mm512_div_ps(power, _mm512_add_ps(one, power));
	return _mm512_mask_sub_ps(below, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), one, below);
}

// The share of the normal distribution below x: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26, off by at most 7.5e-8.
INLINE __m512 normal_share(__m512 x) {
	const __m512 one = _mm512_set1_ps(1);
	__m512 size = _mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(0.70710678f)), t = _mm512_div_ps(one, _mm512_fmadd_ps(size, _mm512_set1_ps(0.3275911f), one));
	__m512 y = _mm512_set1_ps(1.061405429f);
	y = _mm512_fmadd_ps(y, t, _mm512_set1_ps(-1.453152027f));
	y = _mm512_fmadd_ps(y, t, _mm512_set1_ps(1.421413741f));
	y = _mm512_fmadd_ps(y, t, _mm512_set1_ps(-0.284496736f));
	y = _mm512_fmadd_ps(y, t, _mm512_set1_ps(0.254829592f));
	__m512 power = exponential(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_mul_ps(size, size)));
	__m512 below = _mm512_mul_ps(_mm512_set1_ps(0.5f), _mm512_mul_ps(_mm512_mul_ps(y, t), power)); // of -|x|
	return _mm512_mask_sub_ps(below, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), one, below);
}

INLINE __m512 activate(__m512 x, int activation) {
	switch (activation) {
	case ACTIVATION_RELU: return _mm512_max_ps(x, _mm512_setzero_ps());
	case ACTIVATION_GELU: return _mm512_mul_ps(x, normal_share(x));
	case ACTIVATION_SILU: return _mm512_mul_ps(x, sigmoid(x));
	case ACTIVATION_TANH_GELU: {
		__m512 inner = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_mul_ps(x, x), x), _mm512_set1_ps(0.044715f), x);
		return _mm512_mul_ps(x, sigmoid(_mm512_mul_ps(inner, _mm512_set1_ps(1.5957691f)))); // 2·√(2/π)
	}
	}
	return x;
}

// Features k to k+16 of a row as they are multiplied; those beyond its end are zero.
INLINE __m512 feature(const block_product *p, const float *row, size_t k) {
	size_t inner = p->weights->inner;
	__mmask16 mask = k < inner ? left(inner - k) : 0;
	__m512 x = activate(_mm512_maskz_loadu_ps(mask, row + k), p->activation);
	return p->gated ? _mm512_maskz_mul_ps(mask, x, _mm512_maskz_loadu_ps(mask, row + inner + k)) : x;
}

// Each block of a row becomes 127 levels on either side of 0.
VNNI void blocks_quantize(block_product *p, size_t i) {
	const packed_blocks *w = p->weights;
	chunk c = chunk_at(p, i);
	int32_t zero = w->bits == 4 ? 8 : 128;
	for (size_t r = 0; r < c.rows; r++) {
		const float *row = p->x + (c.first + r) * w->inner * (p->gated ? 2 : 1);
		for (size_t b = 0; b < w->count; b++) {
			int8_t *codes = p->codes + (c.first * w->count + b * c.rows) * w->block + r * 4;
			__m512 largest = _mm512_setzero_ps(), features[MOST_BLOCK / 16];
			for (size_t k = 0; k < w->block / 16; k++) {
				features[k] = feature(p, row, b * w->block + k * 16);
				largest = _mm512_max_ps(largest, _mm512_abs_ps(features[k]));
			}
			float most = _mm512_reduce_max_ps(largest);
			__m512 inverse = _mm512_set1_ps(most > 0 ? 127 / most : 0);
			__m512i sum = _mm512_setzero_si512();
			for (size_t k = 0; k < w->block / 16; k++) {
				__m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(features[k], inverse));
				sum = _mm512_add_epi32(sum, code);
				uint32_t words[4];
				_mm_storeu_si128((__m128i *)words, _mm512_cvtsepi32_epi8(code));
				for (size_t j = 0; j < 4; j++, codes += c.rows * 4)
					memcpy(codes, &words[j], 4);
			}
			p->steps[c.first * w->count + b * c.rows + r] = most / 127;
			p->starts[c.first * w->count + b * c.rows + r] = -zero * _mm512_reduce_add_epi32(sum);
		}
	}
}

typedef int32_t __attribute__((may_alias, aligned(1))) four;

// total += weights, unsigned, times four codes of a row, signed.
#define ACCUMULATE(total, weights, codes) __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(total) : "v"(weights), "m"(*(const four *)(codes)))

// One step of a block: halves are those of the panel that are worked on. The compiler knows rows, halves and bits.
INLINE void multiply_step(const uint8_t *w, const int8_t *a, const int rows, const int halves, const int bits, __m512i total[MOST_ROWS][2]) {
	const __m512i low = _mm512_set1_epi8(0xF);
	const int lines = bits == 4 ? 4 : 8;
#pragma GCC unroll 8
	for (int j = 0; j < lines; j++) {
#pragma GCC unroll 2
		for (int h = 0; h < halves; h++) {
			__m512i codes = _mm512_load_si512(w + j * PANEL * 4 + h * 64);
			if (bits == 8) {
#pragma GCC unroll 12
				for (int r = 0; r < rows; r++)
					ACCUMULATE(total[r][h], codes, a + (j * rows + r) * 4);
			} else {
				__m512i first = _mm512_and_si512(codes, low), second = _mm512_and_si512(_mm512_srli_epi16(codes, 4), low);
#pragma GCC unroll 12
				for (int r = 0; r < rows; r++)
					ACCUMULATE(total[r][h], first, a + (j * rows + r) * 4);
#pragma GCC unroll 12
				for (int r = 0; r < rows; r++)
					ACCUMULATE(total[r][h], second, a + ((j + 4) * rows + r) * 4);
			}
		}
	}
}

// Multiplies a chunk of rows by a panel, or by one half of it.
INLINE void multiply(const block_product *p, size_t first_row, const int rows, size_t panel, size_t half, const int halves, const int bits, __m512 sums[MOST_ROWS][2]) {
	const packed_blocks *w = p->weights;
	const uint8_t *b = w->bytes + panel * w->count * w->size;
	const int8_t *a = p->codes + first_row * w->count * w->block;
	const float *steps = p->steps + first_row * w->count;
	const int32_t *starts = p->starts + first_row * w->count;
	const size_t step = step_size(bits), inside = w->block / BLOCK_STEP;
	__m512 total[MOST_ROWS][2];
#pragma GCC unroll 12
	for (int r = 0; r < rows; r++)
		total[r][0] = total[r][1] = _mm512_setzero_ps();
	for (size_t i = 0; i < w->count; i++, steps += rows, starts += rows) {
		__m512i whole[MOST_ROWS][2];
#pragma GCC unroll 12
		for (int r = 0; r < rows; r++)
			whole[r][0] = whole[r][1] = _mm512_set1_epi32(starts[r]);
		for (size_t s = 0; s < inside; s++, b += step, a += rows * BLOCK_STEP)
			multiply_step(b + half * 64, a, rows, halves, bits, whole);
#pragma GCC unroll 2
		for (int h = 0; h < halves; h++) {
			__m512 scale = _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)b + half + h));
#pragma GCC unroll 12
			for (int r = 0; r < rows; r++)
				total[r][h] = _mm512_fmadd_ps(_mm512_mul_ps(scale, _mm512_set1_ps(steps[r])), _mm512_cvtepi32_ps(whole[r][h]), total[r][h]);
		}
		b += 64;
	}
#pragma GCC unroll 12
	for (int r = 0; r < rows; r++)
		sums[r][half] = total[r][0], sums[r][halves == 2 ? 1 : half] = halves == 2 ? total[r][1] : total[r][0];
}

// Up to 6 rows leave registers for the sums of a whole panel.
#define MULTIPLY(rows, bits) \
	VNNI static void __attribute__((noinline)) multiply_##rows##_##bits(const block_product *p, size_t first_row, size_t panel, __m512 sums[MOST_ROWS][2]) { \
		if (rows <= 6) { \
			multiply(p, first_row, rows, panel, 0, 2, bits, sums); \
		} else { \
			multiply(p, first_row, rows, panel, 0, 1, bits, sums); \
			multiply(p, first_row, rows, panel, 1, 1, bits, sums); \
		} \
	}
#define MULTIPLY_ROWS(bits) \
	MULTIPLY(1, bits) MULTIPLY(2, bits) MULTIPLY(3, bits) MULTIPLY(4, bits) MULTIPLY(5, bits) MULTIPLY(6, bits) \
	MULTIPLY(7, bits) MULTIPLY(8, bits) MULTIPLY(9, bits) MULTIPLY(10, bits) MULTIPLY(11, bits) MULTIPLY(12, bits) \
	static void (*const multiply_##bits[])(const block_product *, size_t, size_t, __m512[MOST_ROWS][2]) = { \
		multiply_1_##bits, multiply_2_##bits, multiply_3_##bits, multiply_4_##bits, multiply_5_##bits, multiply_6_##bits, \
		multiply_7_##bits, multiply_8_##bits, multiply_9_##bits, multiply_10_##bits, multiply_11_##bits, multiply_12_##bits};
MULTIPLY_ROWS(4)
MULTIPLY_ROWS(8)

// Parts are as large as pays for handing them to a thread, and no larger than divides well among threads.
size_t blocks_parts(const block_product *p) {
	const packed_blocks *w = p->weights;
	size_t bytes = w->panels * w->count * w->size, work = bytes * (1 + p->rows / 4);
	size_t parts = (bytes + PART_BYTES - 1) / PART_BYTES, most = (work + LEAST_PART_BYTES - 1) / LEAST_PART_BYTES;
	parts = (parts > LEAST_PARTS ? parts : LEAST_PARTS) + PARTS_MULTIPLE - 1;
	parts = parts / PARTS_MULTIPLE * PARTS_MULTIPLE;
	parts = parts < most ? parts : most;
	return parts < w->panels ? parts : w->panels;
}

INLINE void finish(const block_product *p, size_t row, size_t n, __m512 sum) {
	const packed_blocks *w = p->weights;
	__mmask16 mask = left(w->width - n);
	__m512 y = _mm512_mul_ps(sum, _mm512_load_ps(w->largest + n));
	if (p->bias)
		y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, p->bias + n));
	if (p->add)
		y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, p->add + row % p->add_rows * w->width + n));
	_mm512_mask_storeu_ps(p->y + row * w->width + n, mask, y);
}

VNNI void blocks_part(block_product *p, size_t part) {
	const packed_blocks *w = p->weights;
	size_t parts = blocks_parts(p), chunks = blocks_chunks(p);
	for (size_t panel = part * w->panels / parts; panel < (part + 1) * w->panels / parts; panel++)
		for (size_t i = 0; i < chunks; i++) {
			chunk c = chunk_at(p, i);
			__m512 sums[MOST_ROWS][2];
			(w->bits == 4 ? multiply_4 : multiply_8)[c.rows - 1](p, c.first, panel, sums);
			for (size_t r = 0; r < c.rows; r++)
				for (size_t h = 0; h < 2 && panel * PANEL + h * 16 < w->width; h++)
					finish(p, c.first + r, panel * PANEL + h * 16, sums[r][h]);
		}
}
