package quantize

import (
	"bytes"
	"math"
	"runtime"
	"sync"
)

// quantizeBlocks4 turns each block of each row of a matrix [rows, columns] into 4-bit integers around 8, two in a byte, by
// one scale: that of a few which keeps the squares of the errors least, each multiplied by how much its column weighs, or
// by 1 without weights. The last block of a row is filled with zeros.
func quantizeBlocks4(values, weighs []float32, rows, columns int) (codes []byte, scales []float32) {
	count := (columns + blockSize - 1) / blockSize
	codes = bytes.Repeat([]byte{0x88}, rows*count*blockSize/2)
	scales = make([]float32, rows*count)
	var group sync.WaitGroup
	const stretch = 64 // rows
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			var weights [blockSize]float32
			for first := range next {
				for i := first; i < min(first+stretch, rows); i++ {
					for block := range count {
						start := block * blockSize
						size := min(blockSize, columns-start)
						for j := range size {
							weights[j] = 1
							if weighs != nil {
								weights[j] = weighs[start+j]
							}
						}
						part := values[i*columns+start : i*columns+start+size]
						at := i*count + block
						scales[at] = encodeBlock4(part, weights[:size], codes[at*blockSize/2:(at+1)*blockSize/2])
					}
				}
			}
		})
	}
	for first := 0; first < rows; first += stretch {
		next <- first
	}
	close(next)
	group.Wait()
	return codes, scales
}

// reaches are where the block's largest value may come to lie on the scale of -8 to 7, the first of which needs no search.
var reaches = []float32{-8, -7.2, -7.6, -8.4, -8.8, 7}

// encodeBlock4 writes the codes of a block's values and returns its scale.
func encodeBlock4(values, weights []float32, codes []byte) float32 {
	var extreme float32
	for _, value := range values {
		if math.Abs(float64(value)) > math.Abs(float64(extreme)) {
			extreme = value
		}
	}
	if extreme == 0 {
		return 1 // a block of zeros: any scale will do
	}
	var best, inverse, scale float32
	for _, reach := range reaches {
		var products, squares float32
		factor := reach / extreme
		for j, value := range values {
			code := float32(code4(value, factor))
			products += weights[j] * value * code
			squares += weights[j] * code * code
		}
		// With the scale that suits these codes best, products/squares, the errors' squares shrink by this much.
		if gain := products * products / squares; squares > 0 && gain > best {
			best, inverse, scale = gain, factor, products/squares
		}
	}
	if scale == 0 { // only where nothing weighs anything
		inverse, scale = reaches[0]/extreme, extreme/reaches[0]
	}
	for j, value := range values {
		shift := 4 * (j % 2)
		codes[j/2] = codes[j/2]&^(0xf<<shift) | byte(8+code4(value, inverse))<<shift
	}
	return scale
}

// code4 is the nearest code to a value, which may be anything that is a number.
func code4(value, inverse float32) int {
	scaled := value * inverse
	if scaled >= 0 {
		return min(7, int(scaled+0.5))
	}
	return max(-8, int(scaled-0.5))
}
