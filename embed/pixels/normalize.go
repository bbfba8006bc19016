package pixels

import "fmt"

// Normalization says how a model wants its pixels: a byte b of channel c
// becomes (b*RescaleFactor - Mean[c]) / StandardDeviation[c].
type Normalization struct {
	// Mean and StandardDeviation are of red, green and blue, after rescaling.
	Mean, StandardDeviation [3]float32
	// RescaleFactor is 1/255 for every published BLIP-2.
	RescaleFactor float64
}

// Normalize returns the image as the tensor that a vision encoder reads:
// float32 in the order channel, row, column; its length is 3*Height*Width. The
// arithmetic is that of transformers' slow image processor: the product with
// RescaleFactor in float64, rounded to float32, the rest in float32.
func (n Normalization) Normalize(m *Image) []float32 {
	tensor := make([]float32, 3*m.Width*m.Height)
	n.NormalizeInto(tensor, m)
	return tensor
}

// NormalizeInto is Normalize into a part of a batch; dst must hold
// 3*Height*Width values or more.
func (n Normalization) NormalizeInto(dst []float32, m *Image) {
	plane := m.Width * m.Height
	red, green, blue := dst[:plane:plane], dst[plane:2*plane:2*plane], dst[2*plane:3*plane:3*plane]
	tables := n.tables()
	pix := m.Pix[:3*plane]
	for i := range plane {
		red[i] = tables[0][pix[3*i]]
		green[i] = tables[1][pix[3*i+1]]
		blue[i] = tables[2][pix[3*i+2]]
	}
}

// tables returns the normalised value of every byte in every channel.
func (n Normalization) tables() *[3][256]float32 {
	var tables [3][256]float32
	for c := range tables {
		for b := range tables[c] {
			rescaled := float32(float64(b) * n.RescaleFactor)
			tables[c][b] = float32(rescaled-n.Mean[c]) / n.StandardDeviation[c]
		}
	}
	return &tables
}

// Validate reports what no image can be normalised with.
func (n Normalization) Validate() error {
	for c, deviation := range n.StandardDeviation {
		if !(deviation > 0) {
			return fmt.Errorf("standard deviation %v of channel %d is not positive", deviation, c)
		}
	}
	if !(n.RescaleFactor > 0) {
		return fmt.Errorf("rescale factor %v is not positive", n.RescaleFactor)
	}
	return nil
}
