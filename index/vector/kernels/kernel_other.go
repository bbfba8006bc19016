//go:build !amd64 && !arm64

package kernels

func nativeKernels() []Kernel { return nil }
