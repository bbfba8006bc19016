package container

// pixelCost is what a decoder in the sandbox takes for a pixel, in bytes: usually,
// and at most.
type pixelCost struct{ usual, most int64 }

// sandboxMemory returns what decoding a file of that many bytes and pixels takes in
// the sandbox, usually and at most.
func sandboxMemory(bytes int, pixels int64, cost pixelCost) (usual, most int64) {
	pixels = min(pixels, 1<<32)
	usual = cost.usual*pixels + sandboxFixed + int64(bytes)
	most = cost.most*pixels + 2*sandboxFixed + int64(bytes)
	return min(usual, sandboxLargest), min(most, sandboxLargest)
}
