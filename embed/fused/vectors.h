// What products and attention have in common: vectors of 16 floats.
#ifndef MEKIKI_VECTORS_H
#define MEKIKI_VECTORS_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define INLINE static inline __attribute__((always_inline)) VNNI

// A panel of columns by so many rows fills the processor's registers with sums.
enum { PANEL = 32, MOST_ROWS = 12 };

static inline size_t round_up(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }
static inline size_t padded(size_t size) { return round_up(size, 64); }

INLINE __mmask16 left(size_t count) { return count >= 16 ? 0xFFFF : (__mmask16)((1u << count) - 1); }

// exp for what is not above zero.
INLINE __m512 exponential(__m512 x) {
	x = _mm512_max_ps(x, _mm512_set1_ps(-87));
	__m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
	__m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
	r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
	__m512 y = _mm512_set1_ps(1.0f / 720);
	y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.0f / 120));
	y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.0f / 24));
	y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.0f / 6));
	y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(0.5f));
	y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1));
	y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1));
	return _mm512_scalef_ps(y, n);
}

#endif
