package quantized

import (
	"math/rand/v2"
	"testing"
)

func TestQuantizeIsNearest(t *testing.T) {
	source := rand.New(rand.NewPCG(7, 7))
	values, codes := make([]float32, 256), make([]byte, 256)
	for range 100 {
		for i := range values {
			values[i] = float32(source.NormFloat64())
		}
		scale := Values(codes, values)
		for i, value := range values {
			back := scale * float32(int(codes[i])-Bias)
			if difference := value - back; difference > scale*0.5001 || difference < -scale*0.5001 {
				t.Fatalf("value %g comes back as %g with scale %g", value, back, scale)
			}
		}
	}
}
