#include "pages.h"
#include "product.h"
#include "shared.h"
#include "tiles.h"
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 1024, SECOND_CACHE = 384 << 10, LEAST_PARTS = 16, PARTS_MULTIPLE = 4 };

// Four features of a panel's columns lie side by side, as vpdpbusd reads them: [inner/4][PANEL][4].
struct packed {
	shared shared;
	size_t inner, groups, width, panels;
	int8_t *codes;
	int32_t *sums; // of each column
};

// What weights are packed from.
typedef struct {
	const int8_t *weights;
	size_t inner, width;
} matrix;

// Four features of a panel's columns as they are packed; what is beyond the matrix is zero.
static void piece(const int8_t *weights, size_t inner, size_t width, size_t group, size_t panel, int8_t out[PANEL * 4]) {
	size_t columns = width - panel * PANEL < PANEL ? width - panel * PANEL : PANEL, features = inner <= group * 4 ? 0 : inner - group * 4 < 4 ? inner - group * 4 : 4;
	const int8_t *from = weights + group * 4 * width + panel * PANEL;
	if (columns < PANEL || features < 4)
		memset(out, 0, PANEL * 4);
	for (size_t k = 0; k < features; k++, from += width)
		for (size_t n = 0; n < columns; n++)
			out[n * 4 + k] = from[n];
}

static int equal(const shared *s, const void *given) {
	const packed *p = (const packed *)s;
	const matrix *m = given;
	int8_t one[PANEL * 4];
	if (p->inner != m->inner || p->width != m->width)
		return 0;
	for (size_t i = 0; i < p->panels * p->groups; i++) {
		piece(m->weights, p->inner, p->width, i % p->groups, i / p->groups, one);
		if (memcmp(one, p->codes + i * PANEL * 4, PANEL * 4))
			return 0;
	}
	return 1;
}

static void packed_free(shared *s) {
	packed *p = (packed *)s;
	pages_give(p->codes, p->panels * p->groups * PANEL * 4);
	free(p->sums);
	free(p);
}

// Groups of four features, whole steps of tiles where there are any.
static size_t groups_of(size_t inner) {
	return round_up(inner, tiles_available() ? TILES_STEP : 4) / 4;
}

static shared *pack(const void *given) {
	const matrix *m = given;
	size_t inner = m->inner, width = m->width;
	packed *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->inner = inner, p->width = width, p->groups = groups_of(inner), p->panels = (width + PANEL - 1) / PANEL;
	p->codes = pages_take(p->panels * p->groups * PANEL * 4);
	p->sums = aligned_alloc(64, p->panels * PANEL * sizeof *p->sums);
	if (!p->codes || !p->sums) {
		packed_free(&p->shared);
		return NULL;
	}
	memset(p->sums, 0, p->panels * PANEL * sizeof *p->sums);
	for (size_t i = 0; i < p->panels * p->groups; i++) {
		int8_t *codes = p->codes + i * PANEL * 4;
		int32_t *sums = p->sums + i / p->groups * PANEL;
		piece(m->weights, inner, width, i % p->groups, i / p->groups, codes);
		for (size_t n = 0; n < PANEL; n++)
			sums[n] += codes[n * 4] + codes[n * 4 + 1] + codes[n * 4 + 2] + codes[n * 4 + 3];
	}
	return &p->shared;
}

static shared_list list = {.equal = equal, .pack = pack, .free = packed_free};

packed *packed_acquire(const int8_t *weights, size_t inner, size_t width) {
	matrix m = {weights, inner, width};
	shared *s = shared_acquire(&list, hash_of(0, weights, inner * width), &m);
	leave_pages(weights, inner * width);
	return (packed *)s;
}

void packed_release(packed *p) { shared_release(&list, &p->shared); }

// Rows are a little longer than they need to be, so that those of a block do not share the sets of a cache.
static size_t stride_of(const product *p) { return padded(p->weights->groups * 4) + 64; }

size_t product_blocks(const product *p) { return (p->rows + BLOCK_ROWS - 1) / BLOCK_ROWS; }

// By tiles rows lie in blocks.
static size_t tile_blocks(const product *p) { return (p->rows + TILES_ROWS - 1) / TILES_ROWS; }
static size_t tile_bytes(const product *p) { return p->weights->groups * 4 * TILES_ROWS; }

static int by_tiles(const product *p) { return p->tiles && tiles_available(); }

static size_t codes_size(const product *p) {
	return by_tiles(p) ? tile_blocks(p) * tile_bytes(p) : padded((p->rows + MOST_ROWS) * stride_of(p));
}

// Where the code of feature k of a row is; the next ones up to a multiple of 64 lie behind it.
INLINE uint8_t *code_at(const product *p, size_t row, size_t k) {
	if (!p->block_rows)
		return p->codes + row * p->stride + k;
	return p->codes + row / p->block_rows * tile_bytes(p) + k / TILES_STEP * TILES_BYTES + row % p->block_rows * TILES_STEP + k % TILES_STEP;
}

size_t product_scratch(const product *p) {
	return codes_size(p) + padded((p->rows + MOST_ROWS) * 4) + padded(product_blocks(p) * 8);
}

void product_prepare(product *p, void *scratch) {
	char *at = scratch;
	p->stride = stride_of(p);
	p->block_rows = by_tiles(p) ? tiles_block(p->rows) : 0;
	p->codes = (uint8_t *)at, at += codes_size(p);
	p->steps = (float *)at, at += padded((p->rows + MOST_ROWS) * 4);
	p->extremes = (float *)at;
	p->zero = p->mode == MODE_POSITIVE ? 0 : 128;
}

// The 16 features from k on of a row, less what all rows have in common.
INLINE __m512 features(const product *p, const float *row, size_t k, __mmask16 mask) {
	__m512 value = _mm512_maskz_loadu_ps(mask, row + k);
	if (p->shifts == 1)
		return _mm512_maskz_sub_ps(mask, value, _mm512_set1_ps(*p->shift));
	if (p->shifts)
		return _mm512_sub_ps(value, _mm512_maskz_loadu_ps(mask, p->shift + k));
	return value;
}

VNNI void product_range(product *p, size_t block) {
	size_t inner = p->weights->inner, from = block * BLOCK_ROWS, to = from + BLOCK_ROWS < p->rows ? from + BLOCK_ROWS : p->rows;
	__m512 least = _mm512_setzero_ps(), largest = _mm512_setzero_ps();
	for (size_t r = from; r < to; r++)
		for (size_t k = 0; k < inner; k += 16) {
			__m512 value = _mm512_maskz_loadu_ps(left(inner - k), p->x + r * inner + k);
			least = _mm512_min_ps(least, value), largest = _mm512_max_ps(largest, value);
		}
	p->extremes[2 * block] = _mm512_reduce_min_ps(least), p->extremes[2 * block + 1] = _mm512_reduce_max_ps(largest);
}

VNNI void product_join(product *p) {
	float least = 0, largest = 0;
	for (size_t i = 0; i < product_blocks(p); i++) {
		least = p->extremes[2 * i] < least ? p->extremes[2 * i] : least;
		largest = p->extremes[2 * i + 1] > largest ? p->extremes[2 * i + 1] : largest;
	}
	float step = largest == least ? 1 : (largest - least) / 255;
	float zero = -least / step;
	int32_t rounded = _mm_cvtss_si32(_mm_set_ss(zero < 0 ? 0 : zero > 255 ? 255 : zero)); // to even
	p->zero = rounded;
	for (size_t r = 0; r < p->rows; r++)
		p->steps[r] = step;
}

// The step between the codes of a row.
INLINE float row_step(const product *p, const float *row) {
	size_t inner = p->weights->inner;
	__m512 largest = _mm512_set1_ps(1e-30f);
	for (size_t k = 0; k < inner; k += 16) {
		__m512 value = features(p, row, k, left(inner - k));
		largest = _mm512_max_ps(largest, p->mode == MODE_POSITIVE ? value : _mm512_abs_ps(value));
	}
	return _mm512_reduce_max_ps(largest) * (p->mode == MODE_POSITIVE ? 1.0f / 255 : 1.0f / 127);
}

VNNI void product_quantize(product *p, size_t block) {
	size_t inner = p->weights->inner, from = block * BLOCK_ROWS, to = from + BLOCK_ROWS < p->rows ? from + BLOCK_ROWS : p->rows;
	for (size_t r = from; r < to; r++) {
		const float *row = p->x + r * inner;
		if (p->mode != MODE_RUN)
			p->steps[r] = row_step(p, row);
		__m512 inverse = _mm512_set1_ps(1 / p->steps[r]);
		__m512i zero = _mm512_set1_epi32(p->zero), none = _mm512_setzero_si512();
		for (size_t k = 0; k < inner; k += 16) {
			__m512i code = _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(features(p, row, k, left(inner - k)), inverse)), zero);
			_mm_storeu_si128((__m128i *)code_at(p, r, k), _mm512_cvtusepi32_epi8(_mm512_max_epi32(code, none)));
		}
	}
}

// x times the share of the normal distribution below it. Up to 4.5 that share less a half is x times a polynomial in x², fitted by
// least squares, weights raised where errors were large; beyond, none or all. The result is off by at most 1.6e-5, a thousandth of
// the step between the codes that it is read by.
INLINE __m512 gelu(__m512 x) {
	static const float coefficients[] = {0.15690529f, -0.07718337f, 0.05467185f, -0.04029579f, 0.02862396f, -0.0181592f, 0.01014047f, -0.00668289f, 0.00465531f, -0.00156565f};
	const int degree = sizeof coefficients / sizeof *coefficients - 1;
	__m512 u = _mm512_fmsub_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(2 / (4.5f * 4.5f)), _mm512_set1_ps(1));
	__m512 y = _mm512_set1_ps(coefficients[degree]);
#pragma GCC unroll 16
	for (int i = degree - 1; i >= 0; i--)
		y = _mm512_fmadd_ps(y, u, _mm512_set1_ps(coefficients[i]));
	y = _mm512_fmadd_ps(x, y, _mm512_set1_ps(0.5f));
	y = _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, _mm512_set1_ps(4.5f), _CMP_GT_OQ), _mm512_set1_ps(1));
	y = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps(-4.5f), _CMP_NLT_UQ), y);
	return _mm512_mul_ps(x, y);
}

// What is known of 16 columns.
typedef struct {
	__m512 scale, bias;
	__mmask16 mask;
} columns;

INLINE columns columns_at(const product *p, size_t n) {
	columns c = {.mask = n < p->weights->width ? left(p->weights->width - n) : 0};
	c.scale = _mm512_maskz_loadu_ps(c.mask, p->scale + n);
	c.bias = p->bias ? _mm512_maskz_loadu_ps(c.mask, p->bias + n) : _mm512_setzero_ps();
	if (p->bias2)
		c.bias = _mm512_add_ps(c.bias, _mm512_maskz_loadu_ps(c.mask, p->bias2 + n));
	return c;
}

INLINE void finish(const product *p, size_t row, size_t n, columns c, __m512i total) {
	size_t at = row * p->weights->width + n;
	__m512 y = _mm512_fmadd_ps(_mm512_cvtepi32_ps(total), _mm512_mul_ps(c.scale, _mm512_set1_ps(p->steps[row])), c.bias);
	if (p->gelu)
		y = gelu(y);
	if (p->add)
		y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(c.mask, p->add + (row < p->add_rows ? row : row % p->add_rows) * p->weights->width + n));
	_mm512_mask_storeu_ps(p->y + at, c.mask, y);
}

// total += codes * weights, four products a lane. Written out because compilers copy the totals around otherwise.
#define ACCUMULATE(total, codes, weights) __asm__("vpdpbusd %2, %1, %0" : "+v"(total) : "v"(codes), "v"(weights))

// Multiplies some rows, whose number the compiler knows, by a panel.
INLINE void multiply(const product *p, size_t row, const int rows, size_t panel, __m512i sums[MOST_ROWS][2]) {
	size_t groups = p->weights->groups, stride = p->stride;
	const int8_t *b = p->weights->codes + panel * groups * PANEL * 4;
	const uint8_t *a = p->codes + row * stride;
	__m512i total[MOST_ROWS][2];
	// What the codes' zero adds to each column is taken off at the beginning.
	const __m512i zero = _mm512_set1_epi32(-p->zero);
	const int32_t *columns = p->weights->sums + panel * PANEL;
	const __m512i start[2] = {_mm512_mullo_epi32(_mm512_loadu_si512(columns), zero), _mm512_mullo_epi32(_mm512_loadu_si512(columns + 16), zero)};
#pragma GCC unroll 12
	for (int r = 0; r < rows; r++)
		total[r][0] = start[0], total[r][1] = start[1];
	for (const int8_t *end = b + groups * PANEL * 4; b < end; b += 128, a += 4) {
		__m512i first = _mm512_load_si512(b), second = _mm512_load_si512(b + 64);
		_mm_prefetch((const char *)b + AHEAD, _MM_HINT_T0);
		_mm_prefetch((const char *)b + AHEAD + 64, _MM_HINT_T0);
#pragma GCC unroll 12
		for (int r = 0; r < rows; r++) {
			int32_t four;
			memcpy(&four, a + r * stride, 4);
			__m512i codes = _mm512_set1_epi32(four);
			ACCUMULATE(total[r][0], codes, first);
			ACCUMULATE(total[r][1], codes, second);
		}
	}
#pragma GCC unroll 12
	for (int r = 0; r < rows; r++)
		sums[r][0] = total[r][0], sums[r][1] = total[r][1];
}

VNNI static void __attribute__((noinline)) multiply12(const product *p, size_t row, size_t panel, __m512i sums[MOST_ROWS][2]) { multiply(p, row, 12, panel, sums); }
VNNI static void __attribute__((noinline)) multiply8(const product *p, size_t row, size_t panel, __m512i sums[MOST_ROWS][2]) { multiply(p, row, 8, panel, sums); }
VNNI static void __attribute__((noinline)) multiply4(const product *p, size_t row, size_t panel, __m512i sums[MOST_ROWS][2]) { multiply(p, row, 4, panel, sums); }
VNNI static void __attribute__((noinline)) multiply1(const product *p, size_t row, size_t panel, __m512i sums[MOST_ROWS][2]) { multiply(p, row, 1, panel, sums); }

// Panels are divided into parts, and those of a part go through a block of rows one after another: no more than a processor's second cache
// holds beside other things. Their number divides well among threads.
size_t product_parts(const product *p) {
	size_t panels = p->weights->panels, size = p->weights->groups * PANEL * 4;
	size_t least = (panels * size + SECOND_CACHE - 1) / SECOND_CACHE;
	size_t parts = ((least > LEAST_PARTS ? least : LEAST_PARTS) + PARTS_MULTIPLE - 1) / PARTS_MULTIPLE * PARTS_MULTIPLE;
	return parts < panels ? parts : panels;
}

VNNI static void part_by_rows(product *p, size_t first, size_t last) {
	for (size_t row = 0, rows; row < p->rows; row += rows) {
		size_t left = p->rows - row;
		rows = left >= 12 ? 12 : left >= 8 ? 8 : left >= 4 ? 4 : 1;
		for (size_t panel = first; panel < last; panel++) {
			__m512i sums[MOST_ROWS][2];
			switch (rows) {
			case 12: multiply12(p, row, panel, sums); break;
			case 8: multiply8(p, row, panel, sums); break;
			case 4: multiply4(p, row, panel, sums); break;
			default: multiply1(p, row, panel, sums);
			}
			const columns c[2] = {columns_at(p, panel * PANEL), columns_at(p, panel * PANEL + 16)};
			for (size_t r = 0; r < rows; r++) {
				finish(p, row + r, panel * PANEL, c[0], sums[r][0]);
				if (c[1].mask)
					finish(p, row + r, panel * PANEL + 16, c[1], sums[r][1]);
			}
		}
	}
}

// Rows whose sums are kept at once, and steps of their features: the first cache holds the weights of so many while codes go by.
enum { ROWS_AT_ONCE = 10 * TILES_ROWS, STEPS_AT_ONCE = 8 };

// Sums of a panel for rows up to end.
VNNI static void panel_by_tiles(const product *p, size_t row, size_t end, size_t panel, int32_t sums[ROWS_AT_ONCE][PANEL]) {
	const packed *w = p->weights;
	const int8_t *weights = w->codes + panel * w->groups * PANEL * 4;
	int32_t start[PANEL] __attribute__((aligned(64)));
	for (size_t n = 0; n < PANEL; n += 16)
		_mm512_store_si512(start + n, _mm512_mullo_epi32(_mm512_loadu_si512(w->sums + panel * PANEL + n), _mm512_set1_epi32(-p->zero)));
	size_t steps = w->groups * 4 / TILES_STEP, slices = (steps + STEPS_AT_ONCE - 1) / STEPS_AT_ONCE;
	size_t blocks = (end - row + p->block_rows - 1) / p->block_rows, lines = (TILES_BYTES / 64 + blocks - 1) / blocks;
	for (size_t slice = 0; slice < slices; slice++) {
		size_t from = slice * steps / slices, to = (slice + 1) * steps / slices;
		const int8_t *ahead = weights + to * TILES_BYTES; // the next slice
		for (size_t r = row; r < end; r += p->block_rows, ahead += (to - from) * lines * 64)
			tiles_multiply(p->block_rows, code_at(p, r, from * TILES_STEP), weights + from * TILES_BYTES, to - from, slice ? NULL : start, sums[r - row], ahead, lines);
	}
}

VNNI static void part_by_tiles(product *p, size_t first, size_t last) {
	int32_t sums[ROWS_AT_ONCE][PANEL] __attribute__((aligned(64)));
	size_t at_once = ROWS_AT_ONCE / p->block_rows * p->block_rows;
	tiles_begin(p->block_rows);
	for (size_t row = 0, end; row < p->rows; row = end) {
		end = p->rows - row < at_once ? p->rows : row + at_once;
		for (size_t panel = first; panel < last; panel++) {
			panel_by_tiles(p, row, end, panel, sums);
			const columns c[2] = {columns_at(p, panel * PANEL), columns_at(p, panel * PANEL + 16)};
			for (size_t r = row; r < end; r++) {
				finish(p, r, panel * PANEL, c[0], _mm512_load_si512(sums[r - row]));
				if (c[1].mask)
					finish(p, r, panel * PANEL + 16, c[1], _mm512_load_si512(sums[r - row] + 16));
			}
		}
	}
	tiles_end();
}

VNNI void product_part(product *p, size_t part) {
	size_t parts = product_parts(p), first = part * p->weights->panels / parts, last = (part + 1) * p->weights->panels / parts;
	if (p->block_rows)
		part_by_tiles(p, first, last);
	else
		part_by_rows(p, first, last);
}
