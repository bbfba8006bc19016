// Products by tiles, for processors with AMX: a tile is 16 rows of 64 bytes.
#ifndef MEKIKI_TILES_H
#define MEKIKI_TILES_H

#include <stddef.h>
#include <stdint.h>

// Rows and columns of a block of sums, and features of one step. A step of a block's codes, or of a panel's weights, takes TILES_BYTES.
enum { TILES_ROWS = 32, TILES_COLUMNS = 32, TILES_STEP = 64, TILES_WORDS = TILES_STEP / 4, TILES_BYTES = TILES_ROWS * TILES_STEP };

// Whether the processor has tiles and the system lets this process use them, which it is asked for once.
int tiles_available(void);

// How many rows a block has, so that blocks of rows have about as many each and none has few.
static inline size_t tiles_block(size_t rows) {
	size_t blocks = (rows + TILES_ROWS - 1) / TILES_ROWS;
	return (rows + blocks - 1) / blocks;
}

// Prepares this thread for blocks of so many rows, 1 to TILES_ROWS; tiles_end must follow.
void tiles_begin(size_t rows);
void tiles_end(void);

// Adds codes by weights to the sums of a block, rows x TILES_COLUMNS; or to start, for each column, where that is given. Codes lie as
// [steps][TILES_ROWS][TILES_STEP], weights as [steps][TILES_STEP/4][TILES_COLUMNS][4].
// At each step some lines of 64 bytes from ahead on are fetched, which are needed soon.
void tiles_multiply(size_t rows, const uint8_t *codes, const int8_t *weights, size_t steps, const int32_t *start, int32_t *sums,
                    const int8_t *ahead, size_t lines);

// Whether tiles multiply floats of 16 bits (bfloat16) too.
int tiles_halves_available(void);

// sums = rows of words, each two floats of 16 bits, by columns of words that lie as [words][TILES_COLUMNS]; TILES_WORDS of them are a step.
// Rows of words lie words apart, rows of sums stride. Narrow: only the first 16 columns.
void tiles_multiply_halves(size_t rows, const uint32_t *a, size_t words, const uint32_t *b, int narrow, float *sums, size_t stride);

#endif
