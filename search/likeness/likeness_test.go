package likeness

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mekiki/embed"
)

func TestAtLeastIsOf(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	alike := 0
	for range 3000 {
		a := embed.Parts{Count: 1 + random.IntN(6), Width: 16}
		b := embed.Parts{Count: 1 + random.IntN(6), Width: 16}
		noise := random.Float64()
		for i := range max(a.Count, b.Count) {
			row := make([]float32, 16)
			for j := range row {
				row[j] = float32(random.NormFloat64())
			}
			other := slices.Clone(row)
			for j := range other {
				other[j] += float32(noise * random.NormFloat64())
			}
			if i < a.Count {
				a.Values = append(a.Values, unit(row)...)
			}
			if i < b.Count {
				b.Values = append(b.Values, unit(other)...)
			}
		}
		least := random.Float64()*2 - 1
		want := Of(a, b)
		got, ok := AtLeast(a, b, least)
		if ok != (want >= least) || ok && got != want {
			t.Fatalf("at least %v: %v, %v; likeness %v", least, got, ok, want)
		}
		if ok && least > 0.5 {
			alike++
		}
	}
	if alike < 50 {
		t.Errorf("only %d pairs were alike", alike)
	}
}

// unit makes a vector one of length 1.
func unit(vector []float32) []float32 {
	norm := float32(math.Sqrt(float64(dot(vector, vector))))
	for i := range vector {
		vector[i] /= norm
	}
	return vector
}
