//go:build !amd64

package resample

// hasSums reports whether sumPixels and sumRows can be called.
func hasSums() bool { return false }

func sumPixels(*byte, *int32, int, *[24]int32) {}

func sumRows(*byte, int, *int32, int, *[32]int32) {}
