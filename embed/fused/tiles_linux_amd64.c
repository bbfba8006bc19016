#include "tiles.h"

#include <string.h>

// Compilers from GCC 11 and Clang 12 on know tiles.
#if (defined(__clang__) && __clang_major__ >= 12) || (!defined(__clang__) && __GNUC__ >= 11)

#include <cpuid.h>
#include <immintrin.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TILES __attribute__((target("amx-tile,amx-int8,amx-bf16")))

enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18, TILE_STATES = 3 << 17, HALF_TILES = 1 << 22, ANY_TILES = 1 << 24, INTEGER_TILES = 1 << 25, SAVED_BY_SYSTEM = 1 << 27 };

static int available, halves;
static pthread_once_t asked = PTHREAD_ONCE_INIT;

// The states that the system saves for a thread.
static uint32_t saved_states(void) {
	uint32_t low, high;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static void ask(void) {
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & SAVED_BY_SYSTEM) || (saved_states() & TILE_STATES) != TILE_STATES)
		return;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & ANY_TILES) || !(d & INTEGER_TILES))
		return;
	available = syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
	halves = available && d & HALF_TILES;
}

int tiles_available(void) {
	pthread_once(&asked, ask);
	return available;
}

int tiles_halves_available(void) { return tiles_available() && halves; }

// Tiles 0 to 3 are sums, 4 and 5 rows of codes, 6 and 7 columns of weights.
typedef struct __attribute__((packed)) {
	uint8_t palette, start, reserved[14];
	uint16_t bytes[16];
	uint8_t rows[16];
} configuration;

// The rows of the first of two tiles; both have about as many.
static size_t first_rows(size_t rows) { return rows <= 16 ? rows : (rows + 1) / 2; }

TILES void tiles_begin(size_t rows) {
	configuration c = {.palette = 1};
	size_t first = first_rows(rows), second = rows > first ? rows - first : 1;
	const uint8_t of[8] = {first, first, second, second, first, second, 16, 16};
	for (int i = 0; i < 8; i++)
		c.bytes[i] = 64, c.rows[i] = of[i];
	__asm__ volatile("ldtilecfg %0" : : "m"(c)); // GCC 12 takes _tile_loadconfig to read 8 bytes
}

TILES void tiles_end(void) { _tile_release(); }

// Begins to read some lines of 64 bytes.
static inline const int8_t *fetch(const int8_t *ahead, size_t lines) {
	for (const int8_t *end = ahead + 64 * lines; ahead < end; ahead += 64)
		_mm_prefetch((const char *)ahead, _MM_HINT_T1);
	return ahead;
}

TILES void tiles_multiply(size_t rows, const uint8_t *codes, const int8_t *weights, size_t steps, const int32_t *start, int32_t *sums, const int8_t *ahead, size_t lines) {
	enum { ROW = TILES_COLUMNS * 4 };
	size_t first = first_rows(rows), next = start ? 0 : ROW; // start stands for every row
	const uint8_t *below = codes + first * TILES_STEP;
	int32_t *sums_below = sums + first * TILES_COLUMNS;
	const int32_t *from = start ? start : sums, *from_below = start ? start : sums_below;
	_tile_loadd(0, from, next);
	_tile_loadd(1, from + 16, next);
	if (rows > first) {
		_tile_loadd(2, from_below, next);
		_tile_loadd(3, from_below + 16, next);
		for (size_t i = 0; i < steps; i++, codes += TILES_BYTES, below += TILES_BYTES, weights += TILES_BYTES) {
			_tile_loadd(6, weights, ROW);
			_tile_loadd(4, codes, TILES_STEP);
			_tile_dpbusd(0, 4, 6);
			_tile_loadd(7, weights + 64, ROW);
			_tile_dpbusd(1, 4, 7);
			ahead = fetch(ahead, lines);
			_tile_loadd(5, below, TILES_STEP);
			_tile_dpbusd(2, 5, 6);
			_tile_dpbusd(3, 5, 7);
		}
		_tile_stored(2, sums_below, ROW);
		_tile_stored(3, sums_below + 16, ROW);
	} else {
		for (size_t i = 0; i < steps; i++, codes += TILES_BYTES, weights += TILES_BYTES) {
			ahead = fetch(ahead, lines);
			_tile_loadd(4, codes, TILES_STEP);
			_tile_loadd(6, weights, ROW);
			_tile_dpbusd(0, 4, 6);
			_tile_loadd(7, weights + 64, ROW);
			_tile_dpbusd(1, 4, 7);
		}
	}
	_tile_stored(0, sums, ROW);
	_tile_stored(1, sums + 16, ROW);
}

TILES void tiles_multiply_halves(size_t rows, const uint32_t *a, size_t words, const uint32_t *b, int narrow, float *sums, size_t stride) {
	enum { ROW = TILES_COLUMNS * 4 };
	size_t first = first_rows(rows), row = words * 4;
	const uint32_t *below = a + first * words;
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	for (size_t i = 0; i < words; i += TILES_WORDS, b += TILES_WORDS * TILES_COLUMNS) {
		_tile_loadd(6, b, ROW);
		_tile_loadd(4, a + i, row);
		_tile_dpbf16ps(0, 4, 6);
		if (!narrow) {
			_tile_loadd(7, b + 16, ROW);
			_tile_dpbf16ps(1, 4, 7);
		}
		if (rows > first) {
			_tile_loadd(5, below + i, row);
			_tile_dpbf16ps(2, 5, 6);
			if (!narrow)
				_tile_dpbf16ps(3, 5, 7);
		}
	}
	_tile_stored(0, sums, stride * 4);
	_tile_stored(1, sums + 16, stride * 4);
	if (rows > first) {
		_tile_stored(2, sums + first * stride, stride * 4);
		_tile_stored(3, sums + first * stride + 16, stride * 4);
	}
}

#else

int tiles_available(void) { return 0; }
int tiles_halves_available(void) { return 0; }
void tiles_begin(size_t rows) { (void)rows; }
void tiles_end(void) {}
void tiles_multiply(size_t rows, const uint8_t *codes, const int8_t *weights, size_t steps, const int32_t *start, int32_t *sums, const int8_t *ahead, size_t lines) {
	(void)codes, (void)weights, (void)steps, (void)start, (void)ahead, (void)lines;
	memset(sums, 0, rows * TILES_COLUMNS * sizeof *sums);
}
void tiles_multiply_halves(size_t rows, const uint32_t *a, size_t words, const uint32_t *b, int narrow, float *sums, size_t stride) {
	(void)rows, (void)a, (void)words, (void)b, (void)narrow, (void)sums, (void)stride;
}

#endif
