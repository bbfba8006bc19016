package blip2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/manifest"
	"mekiki/embed/onnx"
)

// hashedSource takes down what the tensors of the vision encoder hash to as they are read, and the layer norm after it.
type hashedSource struct {
	Source
	sums map[string][sha256.Size]byte // by name
	norm map[string][]float32         // by name
}

func newHashedSource(source Source) *hashedSource {
	return &hashedSource{source, map[string][sha256.Size]byte{}, map[string][]float32{}}
}

// Float32 reads a tensor.
func (h *hashedSource) Float32(ctx context.Context, name string) ([]float32, error) {
	values, err := h.Source.Float32(ctx, name)
	if err == nil && strings.HasPrefix(name, visionPrefix) {
		if _, known := h.sums[name]; !known {
			h.sums[name] = sumValues(values)
			if strings.HasPrefix(name, visionNorm) {
				h.norm[name] = slices.Clone(values)
			}
		}
	}
	return values, err
}

// sumValues hashes values as float32, little-endian.
func sumValues(values []float32) [sha256.Size]byte {
	const stretch = 1 << 16
	hash := sha256.New()
	buffer := make([]byte, 0, 4*min(stretch, len(values)))
	for part := range slices.Chunk(values, stretch) {
		buffer = onnx.AppendFloat32(buffer[:0], part)
		hash.Write(buffer)
	}
	return [sha256.Size]byte(hash.Sum(nil))
}

// vision is the hash of the vision encoder: of the names of its tensors, in their order, each with the hash of its values;
// and the layer norm at its end, apart. Tensors that were not read yet are read.
func (h *hashedSource) vision(ctx context.Context) (string, *manifest.VisionNorm, error) {
	shapes := tensors.Shapes(h.Config(), false)
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		if _, known := h.sums[name]; !known && strings.HasPrefix(name, visionPrefix) {
			if _, err := h.Float32(ctx, name); err != nil {
				return "", nil, err
			}
		}
	}
	whole, tower := sha256.New(), sha256.New()
	for _, name := range slices.Sorted(maps.Keys(h.sums)) {
		fmt.Fprintf(whole, "%s %x\n", name, h.sums[name])
		if h.norm[name] == nil {
			fmt.Fprintf(tower, "%s %x\n", name, h.sums[name])
		}
	}
	return hex.EncodeToString(whole.Sum(nil)), &manifest.VisionNorm{
		Tower:  hex.EncodeToString(tower.Sum(nil)),
		Weight: h.norm[visionNorm+".weight"], Bias: h.norm[visionNorm+".bias"],
	}, nil
}
