package blip2

import (
	"fmt"
	"math"

	"mekiki/embed/checkpoint"
	"mekiki/embed/modelconfig"
)

// Numbers of drawn samples, when the caller gave none. Choosing looks at the
// first few; checking looks at all.
const (
	drawnImages = 4
	drawnTexts  = 8
	drawnLength = 12 // tokens of the longest drawn text
)

// samples are the inputs that int8 is chosen and checked by.
type samples struct {
	images [][]float32 // pixels [3 S S]
	texts  [][]int64   // token ids
	config modelconfig.Config
	heads  heads // of the model
}

// newSamples takes the caller's samples or draws some.
func newSamples(config modelconfig.Config, heads heads, options CompileOptions) (samples, error) {
	result := samples{images: options.Samples, texts: options.Texts, config: config, heads: heads}
	side := config.Vision.ImageSize
	for i, image := range result.images {
		if len(image) != 3*side*side {
			return samples{}, fmt.Errorf("sample image %d has %d values, not 3x%dx%d", i, len(image), side, side)
		}
	}
	if !config.QFormerReadsText() {
		result.texts = nil
	}
	for i, text := range result.texts {
		if len(text) == 0 || len(text) > config.QFormer.MaxPositions {
			return samples{}, fmt.Errorf("sample text %d has %d tokens, not between 1 and %d", i, len(text), config.QFormer.MaxPositions)
		}
		for _, id := range text {
			if id < 0 || id >= int64(config.QFormer.VocabularySize) {
				return samples{}, fmt.Errorf("sample text %d has token %d of a vocabulary of %d", i, id, config.QFormer.VocabularySize)
			}
		}
	}
	if len(result.images) == 0 {
		for i := range drawnImages {
			result.images = append(result.images, drawImage(config.Preprocess, side, uint64(i)))
		}
	}
	if len(result.texts) == 0 && config.QFormerReadsText() {
		result.texts = drawTexts(config.QFormer)
	}
	return result, nil
}

// drawImage draws waves of random colour, direction and length under a few
// filled ellipses: smooth areas, edges and texture, as photographs have.
func drawImage(preprocess modelconfig.Preprocess, side int, seed uint64) []float32 {
	const waves, ellipses = 6, 5
	next := drawer("samples", seed)
	values := make([]float32, 3*side*side)
	var picture [3][]float64
	for channel := range picture {
		picture[channel] = make([]float64, side*side)
		base := 0.5 + 0.3*next()
		var terms [waves][4]float64
		for i := range terms {
			frequency := 2 * math.Pi * math.Exp2(float64(i)+next()/2)
			angle := math.Pi * next()
			terms[i] = [4]float64{frequency * math.Cos(angle), frequency * math.Sin(angle), math.Pi * next(), 0.25 / float64(i+1)}
		}
		for at := range picture[channel] {
			x, y := float64(at%side)/float64(side), float64(at/side)/float64(side)
			value := base
			for _, term := range terms {
				value += term[3] * math.Sin(term[0]*x+term[1]*y+term[2])
			}
			picture[channel][at] = value
		}
	}
	for range ellipses {
		centre, radius := [2]float64{next(), next()}, [2]float64{0.05 + 0.2*math.Abs(next()), 0.05 + 0.2*math.Abs(next())}
		colour := [3]float64{0.5 + 0.5*next(), 0.5 + 0.5*next(), 0.5 + 0.5*next()}
		for at := range side * side {
			x := (float64(at%side)/float64(side) - 0.5 - 0.5*centre[0]) / radius[0]
			y := (float64(at/side)/float64(side) - 0.5 - 0.5*centre[1]) / radius[1]
			if x*x+y*y < 1 {
				for channel := range picture {
					picture[channel][at] = colour[channel]
				}
			}
		}
	}
	for channel := range picture {
		mean, deviation := float64(preprocess.Mean[channel]), float64(preprocess.StandardDeviation[channel])
		if deviation == 0 {
			deviation = 1
		}
		for at, value := range picture[channel] {
			values[channel*side*side+at] = float32((max(0, min(1, value)) - mean) / deviation)
		}
	}
	return values
}

// drawer gives random numbers between -1 and 1, one after another.
func drawer(name string, seed uint64) func() float64 {
	values, at := checkpoint.RandomValues(name, seed, 256), 0
	return func() float64 {
		at++
		return float64(values[at%len(values)])
	}
}

// drawTexts draws token ids between BERT's [CLS] and [SEP], where the
// vocabulary has them, of several lengths.
func drawTexts(config modelconfig.QFormer) [][]int64 {
	const first, last = 101, 102
	length := min(drawnLength, config.MaxPositions)
	texts := make([][]int64, drawnTexts)
	for i := range texts {
		text := make([]int64, max(1, length-i%max(1, length/2)))
		for j, bits := range checkpoint.RandomBits("sample text", uint64(i), len(text)) {
			text[j] = int64(bits % uint64(config.VocabularySize))
		}
		if config.VocabularySize > last && len(text) > 1 {
			text[0], text[len(text)-1] = first, last
		}
		texts[i] = text
	}
	return texts
}
