package vector

import (
	"math"
	"math/rand/v2"
)

// world draws pictures as vectors, each from its number alone, so that a million of
// them need no room. Parts of an image share what the image is about and differ by
// the things that they show; texts are about the same, but live elsewhere: they
// have another mean and noise of their own, like the two sides of a trained model.
type world struct {
	width, parts          int
	imageMean, textMean   []float32
	coarse, fine, objects [][]float32
	slots                 [][]float32
}

const (
	worldCoarse  = 300
	worldFine    = 20 // in each coarse topic
	worldObjects = 2000
)

func newWorld(width, parts int) *world {
	source := rand.New(rand.NewPCG(1, 2))
	many := func(count int) (vectors [][]float32) {
		for range count {
			vectors = append(vectors, worldNoise(source, make([]float32, width), 0, 1))
		}
		return vectors
	}
	w := &world{width: width, parts: parts, coarse: many(worldCoarse), fine: many(worldCoarse * worldFine), objects: many(worldObjects), slots: many(parts)}
	w.imageMean = many(1)[0]
	w.textMean = worldNoise(source, make([]float32, width), 0, float32(math.Sqrt(1-0.3*0.3)))
	for i, value := range w.imageMean {
		w.textMean[i] += 0.3 * value
	}
	return w
}

// worldNoise adds noise of about a length to a vector times keep.
func worldNoise(source *rand.Rand, vector []float32, keep, length float32) []float32 {
	scale := length * float32(math.Sqrt(3/float64(len(vector)))) / 32768
	for i := 0; i < len(vector); i += 4 {
		bits := source.Uint64()
		for j := i; j < min(i+4, len(vector)); j++ {
			vector[j] = keep*vector[j] + scale*float32(int16(bits))
			bits >>= 16
		}
	}
	return vector
}

// subject is what an image and its texts are about.
type subject struct {
	shared  []float32 // topics and what is the image's own, of the lengths given
	objects []int
}

// about draws the subject of an image, its topics and itself weighted.
func (w *world) about(image uint64, coarse, fine, own float32) subject {
	source := rand.New(rand.NewPCG(image, 7))
	topic := int(worldCoarse * source.Float64() * source.Float64())
	detail := topic*worldFine + source.IntN(worldFine)
	s := subject{shared: worldNoise(source, make([]float32, w.width), 0, own)}
	for i := range s.shared {
		s.shared[i] += coarse*w.coarse[topic][i] + fine*w.fine[detail][i]
	}
	for range 1 + source.IntN(5) {
		s.objects = append(s.objects, int(worldObjects*source.Float64()*source.Float64()))
	}
	return s
}

// image gives the rows of an image, each of length one.
func (w *world) image(number uint64) []float32 {
	about := w.about(number, 0.39, 0.39, 0.36)
	source := rand.New(rand.NewPCG(number, 8))
	rows := make([]float32, w.parts*w.width)
	for part := range w.parts {
		row := worldNoise(source, rows[part*w.width:(part+1)*w.width], 0, 0.35)
		object, slot := w.objects[about.objects[source.IntN(len(about.objects))]], w.slots[part]
		for i := range row {
			row[i] += 0.5*w.imageMean[i] + about.shared[i] + 0.39*object[i] + 0.22*slot[i]
		}
		worldUnit(row)
	}
	return rows
}

// text gives the vector of one of an image's texts.
func (w *world) text(image, number uint64) []float32 {
	about := w.about(image, 0.35, 0.36, 0.32)
	source := rand.New(rand.NewPCG(image, 9+number))
	row := worldNoise(source, make([]float32, w.width), 0, 0.5)
	object := w.objects[about.objects[source.IntN(len(about.objects))]]
	for i := range row {
		row[i] += 0.55*w.textMean[i] + about.shared[i] + 0.32*object[i]
	}
	worldUnit(row)
	return row
}

func worldUnit(row []float32) {
	inverse := float32(1 / math.Sqrt(float64(dot(row, row))))
	for i := range row {
		row[i] *= inverse
	}
}
