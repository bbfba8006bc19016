package kernels

import "golang.org/x/sys/cpu"

func nativeKernels() []Kernel {
	list := []Kernel{{"neon", dotNEON, rowByRow(dotNEON)}} // part of every 64-bit ARM processor that Go runs on
	if cpu.ARM64.HasASIMDDP {
		list = append([]Kernel{{"neon-dotprod", dotNEONProducts, rowByRow(dotNEONProducts)}}, list...)
	}
	return list
}

func dotNEON(query []int8, rows []byte, out []int32) {
	if len(out) == 0 || len(query) == 0 {
		clear(out)
		return
	}
	_ = rows[len(out)*len(query)-1]
	dotRowsNEON(&query[0], &rows[0], &out[0], len(query), len(out))
}

func dotNEONProducts(query []int8, rows []byte, out []int32) {
	if len(out) == 0 || len(query) == 0 {
		clear(out)
		return
	}
	_ = rows[len(out)*len(query)-1]
	dotRowsNEONProducts(&query[0], &rows[0], &out[0], len(query), len(out))
}

// dotRowsNEON is kernel.Dot with base NEON. stride is a multiple of 64 and positive,
// count is positive.
//
//go:noescape
func dotRowsNEON(query *int8, rows *byte, out *int32, stride, count int)

// dotRowsNEONProducts is kernel.Dot with the dot product instructions of ARMv8.2
// (FEAT_DotProd). stride is a multiple of 64 and positive, count is positive.
//
//go:noescape
func dotRowsNEONProducts(query *int8, rows *byte, out *int32, stride, count int)
