package scoring

// Likeness turns the likeness of two pictures, the mean cosine of their nearest parts, into the log-odds that they show a
// thing of one kind: Offset + Slope * likeness. Parts of unlike pictures have high cosines too, so that the cosine
// itself says little.
type Likeness struct {
	Offset float64 `json:"offset"`
	Slope  float64 `json:"slope"`
}

// DefaultLikeness was fitted to the 64 nearest of 60 pictures of the gallery's val half, with the built-in model: a
// likeness of 0.75 is a probability of 0.27, and of 0.9 one of 0.67; see docs/measurements/evaluation.md.
func DefaultLikeness() Likeness { return Likeness{Offset: -9.77, Slope: 11.66} }

// Alike gives the log-odds that two pictures show a thing of one kind.
func (c Calibration) Alike(likeness float64) float64 {
	scale := DefaultLikeness()
	if c.Likeness != nil {
		scale = *c.Likeness
	}
	return min(max(scale.Offset+scale.Slope*likeness, -Certain), Certain)
}
