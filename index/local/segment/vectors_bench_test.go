package segment

import (
	"math/rand/v2"
	"testing"

	"mekiki/embed"
)

func BenchmarkDecodeVectors(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	parts := embed.Parts{Count: 16, Width: 256, Values: make([]float32, 16*256)}
	for i := range parts.Values {
		parts.Values[i] = float32(random.NormFloat64())
	}
	payload := EncodeVectors(parts)
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if _, err := DecodeVectors(payload); err != nil {
			b.Fatal(err)
		}
	}
}
