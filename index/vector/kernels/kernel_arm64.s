#include "textflag.h"

// Instructions that the assembler has no name for, by the numbers of their vector
// registers: SMULL and SMULL2 (signed bytes to 8 x int16), SADALP (pairs of int16
// added to 4 x int32), SDOT (four products of signed bytes added to each int32).
// Encodings: Arm Architecture Reference Manual, section C7.2.
#define SMULL(m, n, d)  WORD $(0x0E20C000 | (m)<<16 | (n)<<5 | (d))
#define SMULL2(m, n, d) WORD $(0x4E20C000 | (m)<<16 | (n)<<5 | (d))
#define SADALP(n, d)    WORD $(0x4E606800 | (n)<<5 | (d))
#define SDOT(m, n, d)   WORD $(0x4E809400 | (m)<<16 | (n)<<5 | (d))

// These multiply signed bytes alone, but rows are biased by 128. So rows have their
// highest bit turned (V31), which takes the bias away, and sums begin at 128 times
// the sum of the query's codes (V30). One product is at most 16,384 and two of them
// may not fit 16 bits, so each goes to 32 bits by itself.

// ADDPRODUCTS adds the products of the bytes of V(m) and V(n) to V(d), by way of V28
// and V29.
#define ADDPRODUCTS(m, n, d) \
	SMULL(m, n, 28)  \
	SMULL2(m, n, 29) \
	SADALP(28, d)    \
	SADALP(29, d)

// ROW loads 64 bytes of a row into V16 to V19, without their bias.
#define ROW(pointer) \
	VLD1.P 64(pointer), [V16.B16, V17.B16, V18.B16, V19.B16] \
	VEOR V31.B16, V16.B16, V16.B16 \
	VEOR V31.B16, V17.B16, V17.B16 \
	VEOR V31.B16, V18.B16, V18.B16 \
	VEOR V31.B16, V19.B16, V19.B16

// ROWNEON adds the products of the query's 64 bytes in V0 to V3 and a row's to two
// accumulators, ROWPRODUCTS with the other instruction.
#define ROWNEON(pointer, a, b) \
	ROW(pointer)          \
	ADDPRODUCTS(0, 16, a) \
	ADDPRODUCTS(1, 17, b) \
	ADDPRODUCTS(2, 18, a) \
	ADDPRODUCTS(3, 19, b)

#define ROWPRODUCTS(pointer, a, b) \
	ROW(pointer)   \
	SDOT(0, 16, a) \
	SDOT(1, 17, b) \
	SDOT(2, 18, a) \
	SDOT(3, 19, b)

// ARGUMENTS sets R0 to the query, R1 to the rows, R2 to the sums, R3 to the stride and
// R4 to the number of rows.
#define ARGUMENTS \
	MOVD query+0(FP), R0  \
	MOVD rows+8(FP), R1   \
	MOVD out+16(FP), R2   \
	MOVD stride+24(FP), R3 \
	MOVD count+32(FP), R4 \
	VMOVI $0x80, V31.B16  \
	VEOR V30.B16, V30.B16, V30.B16 \
	VEOR V20.B16, V20.B16, V20.B16 \
	MOVD R0, R5 \
	MOVD R3, R6

// QUERY loads the next 64 bytes of the query.
#define QUERY VLD1.P 64(R5), [V0.B16, V1.B16, V2.B16, V3.B16]

// FOURROWS prepares four rows at R7 to R10, with sums in V20 to V27.
#define FOURROWS \
	MOVD R1, R7      \
	ADD  R3, R7, R8  \
	ADD  R3, R8, R9  \
	ADD  R3, R9, R10 \
	VMOV V30.B16, V20.B16 \
	VMOV V30.B16, V22.B16 \
	VMOV V30.B16, V24.B16 \
	VMOV V30.B16, V26.B16 \
	VEOR V21.B16, V21.B16, V21.B16 \
	VEOR V23.B16, V23.B16, V23.B16 \
	VEOR V25.B16, V25.B16, V25.B16 \
	VEOR V27.B16, V27.B16, V27.B16 \
	MOVD R0, R5 \
	MOVD R3, R6

// FOURSUMS writes the four sums and goes to the next rows.
#define FOURSUMS \
	VADD  V21.S4, V20.S4, V20.S4 \
	VADD  V23.S4, V22.S4, V22.S4 \
	VADD  V25.S4, V24.S4, V24.S4 \
	VADD  V27.S4, V26.S4, V26.S4 \
	VADDP V22.S4, V20.S4, V20.S4 \
	VADDP V26.S4, V24.S4, V24.S4 \
	VADDP V24.S4, V20.S4, V20.S4 \
	VST1.P [V20.S4], 16(R2) \
	MOVD R10, R1 \
	SUB  $4, R4

// ONEROW prepares the row at R1, with sums in V20 and V21; ONESUM writes their sum.
#define ONEROW \
	VMOV V30.B16, V20.B16 \
	VEOR V21.B16, V21.B16, V21.B16 \
	MOVD R0, R5 \
	MOVD R3, R6

#define ONESUM \
	VADD   V21.S4, V20.S4, V20.S4 \
	VADDV  V20.S4, V20   \
	FMOVS.P F20, 4(R2)   \
	SUB    $1, R4

// DOTROWS is a kernel whose blocks of rows are multiplied by ROWBLOCK and whose blocks of the
// bias by BIASBLOCK. Four rows at a time share each load of the query.
#define DOTROWS(ROWBLOCK, BIASBLOCK) \
	ARGUMENTS \
bias: \
	QUERY \
	BIASBLOCK(0, 31, 30) \
	BIASBLOCK(1, 31, 30) \
	BIASBLOCK(2, 31, 30) \
	BIASBLOCK(3, 31, 30) \
	SUBS $64, R6 \
	BGT  bias    \
	VSUB V30.S4, V20.S4, V30.S4 \
four: \
	CMP $4, R4 \
	BLT one    \
	FOURROWS   \
fourBlocks: \
	QUERY \
	ROWBLOCK(R7, 20, 21)  \
	ROWBLOCK(R8, 22, 23)  \
	ROWBLOCK(R9, 24, 25)  \
	ROWBLOCK(R10, 26, 27) \
	SUBS $64, R6    \
	BGT  fourBlocks \
	FOURSUMS \
	B four   \
one: \
	CBZ R4, done \
	ONEROW \
oneBlock: \
	QUERY \
	ROWBLOCK(R1, 20, 21) \
	SUBS $64, R6  \
	BGT  oneBlock \
	ONESUM \
	B one  \
done: \
	RET

// func dotRowsNEON(query *int8, rows *byte, out *int32, stride, count int)
TEXT ·dotRowsNEON(SB), NOSPLIT, $0-40
	DOTROWS(ROWNEON, ADDPRODUCTS)

// func dotRowsNEONProducts(query *int8, rows *byte, out *int32, stride, count int)
TEXT ·dotRowsNEONProducts(SB), NOSPLIT, $0-40
	DOTROWS(ROWPRODUCTS, SDOT)
