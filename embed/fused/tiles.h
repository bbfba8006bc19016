// Products of 8-bit integers by tiles, for processors with AMX: a tile is 16 rows of 64 bytes.
#ifndef MEKIKI_TILES_H
#define MEKIKI_TILES_H

#include <stddef.h>
#include <stdint.h>

// Rows and columns of a block of sums, and features of one step. A step of a block's codes, or of a panel's weights, takes TILES_BYTES.
enum { TILES_ROWS = 32, TILES_COLUMNS = 32, TILES_STEP = 64, TILES_BYTES = TILES_ROWS * TILES_STEP };

// Whether the processor has tiles and the system lets this process use them, which it is asked for once.
int tiles_available(void);

// Prepares this thread for blocks of so many rows, 1 to TILES_ROWS; tiles_end must follow.
void tiles_begin(size_t rows);
void tiles_end(void);

// Adds codes by weights to the sums of a block, rows x TILES_COLUMNS; or to start, for each column, where that is given. Codes lie as
// [steps][TILES_ROWS][TILES_STEP], weights as [steps][TILES_STEP/4][TILES_COLUMNS][4].
// At each step some lines of 64 bytes from ahead on are fetched, which are needed soon.
void tiles_multiply(size_t rows, const uint8_t *codes, const int8_t *weights, size_t steps, const int32_t *start, int32_t *sums,
                    const int8_t *ahead, size_t lines);

#endif
