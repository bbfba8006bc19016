//go:build !amd64

package vector

func nativeKernels() []kernel { return nil }
