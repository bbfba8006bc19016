//go:build !amd64 && !arm64

package vector

func nativeKernels() []kernel { return nil }
