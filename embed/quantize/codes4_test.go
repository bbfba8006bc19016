package quantize

import (
	"math"
	"testing"

	"mekiki/embed/checkpoint"
)

// decode4 is the values that codes of quantizeBlocks4 stand for.
func decode4(codes []byte, scales []float32, rows, columns int) []float32 {
	values := make([]float32, 0, rows*columns)
	count := len(scales) / rows
	for i := range rows {
		for j := range columns {
			at := i*count*blockSize + j
			code := int(codes[at/2]>>(4*(at%2))&0xf) - 8
			values = append(values, float32(code)*scales[at/blockSize])
		}
	}
	return values
}

// TestBlocks4 wants 4-bit codes to lose little of random values, least where it counts, and nothing of exact multiples.
func TestBlocks4(t *testing.T) {
	const rows, columns = 70, 83
	values := checkpoint.RandomValues("values", 1, rows*columns)
	weighs := make([]float32, columns)
	for j := range weighs {
		weighs[j] = 1
		if j%4 == 0 {
			weighs[j] = 100
		}
	}
	loss := func(weighed []float32) (all, heavy float64) {
		codes, scales := quantizeBlocks4(values, weighed, rows, columns)
		var errors, squares, heavyErrors, heavySquares float64
		for i, value := range decode4(codes, scales, rows, columns) {
			square, difference := float64(values[i])*float64(values[i]), float64(value-values[i])
			errors, squares = errors+difference*difference, squares+square
			if i%columns%4 == 0 {
				heavyErrors, heavySquares = heavyErrors+difference*difference, heavySquares+square
			}
		}
		return math.Sqrt(errors / squares), math.Sqrt(heavyErrors / heavySquares)
	}
	plain, plainHeavy := loss(nil)
	_, heavy := loss(weighs)
	t.Logf("relative error %.4f; of what weighs more %.4f, and %.4f when that is known", plain, plainHeavy, heavy)
	if plain > 0.075 || heavy > 0.97*plainHeavy {
		t.Error("that is too much")
	}
	for i := range values {
		values[i] = float32(i%16-8) * 0.5
	}
	codes, scales := quantizeBlocks4(values, nil, rows, columns)
	for i, value := range decode4(codes, scales, rows, columns) {
		if math.Abs(float64(value-values[i])) > 1e-6 {
			t.Fatalf("value %d is %v, want %v", i, value, values[i])
		}
	}
	codes, scales = quantizeBlocks4(make([]float32, 40), []float32{39: 0}, 1, 40)
	for _, value := range decode4(codes, scales, 1, 40) {
		if value != 0 {
			t.Errorf("zero became %v", value)
		}
	}
}
