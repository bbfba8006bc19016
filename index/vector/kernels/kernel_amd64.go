package kernels

import "golang.org/x/sys/cpu"

func nativeKernels() []Kernel {
	var list []Kernel
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VNNI {
		list = append(list, Kernel{"avx512-vnni", dotVNNI, gatherVNNI})
	}
	if cpu.X86.HasAVX2 {
		list = append(list, Kernel{"avx2", dotAVX2, rowByRow(dotAVX2)})
	}
	return list
}

func dotVNNI(query []int8, rows []byte, out []int32) {
	if len(out) == 0 || len(query) == 0 {
		clear(out)
		return
	}
	_ = rows[len(out)*len(query)-1]
	dotRowsVNNI(&query[0], &rows[0], &out[0], len(query), len(out))
}

func gatherVNNI(query []int8, rows [][]byte, out []int32) {
	if len(rows) == 0 || len(query) == 0 {
		clear(out)
		return
	}
	_ = out[len(rows)-1]
	for _, row := range rows {
		_ = row[len(query)-1]
	}
	gatherRowsVNNI(&query[0], &rows[0], &out[0], len(query), len(rows))
}

func dotAVX2(query []int8, rows []byte, out []int32) {
	if len(out) == 0 || len(query) == 0 {
		clear(out)
		return
	}
	_ = rows[len(out)*len(query)-1]
	dotRowsAVX2(&query[0], &rows[0], &out[0], len(query), len(out))
}

// dotRowsVNNI is kernel.Dot with AVX-512 VNNI. stride is a multiple of 64 and
// positive, count is positive.
//
//go:noescape
func dotRowsVNNI(query *int8, rows *byte, out *int32, stride, count int)

// gatherRowsVNNI is kernel.Gather with AVX-512 VNNI. stride is a multiple of 64 and
// positive, count is positive.
//
//go:noescape
func gatherRowsVNNI(query *int8, rows *[]byte, out *int32, stride, count int)

// dotRowsAVX2 is kernel.Dot with AVX2. stride is a multiple of 64 and positive,
// count is positive.
//
//go:noescape
func dotRowsAVX2(query *int8, rows *byte, out *int32, stride, count int)
