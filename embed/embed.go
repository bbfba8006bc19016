// Package embed turns images and texts into vectors, match scores and captions.
//
// An [Engine] runs one compiled model of any family. Its vision encoder turns an
// image into [ImageTokens], once; from these come the image's [Parts] (unit vectors
// of the shared space), the [Match] with a text, and captions. A text becomes one
// [Vector]. What may be compared with what is told by the [Space], and what a model
// can do by its [Capabilities]: users of models ask for interfaces such as
// [TextEmbedder] and [Matcher].
//
// The mathematics and the names follow the BLIP-2 paper (arXiv 2301.12597): ITC
// is [Parts.Similarity], ITM is Match, ITG is Captions.
package embed

import (
	"fmt"
	"math"
)

// Space is what makes two vectors comparable. It can be a map key and compared
// with ==.
type Space struct {
	Fingerprint string // of the model
	Parts       int    // vectors of one image
	Width       int    // of each vector
}

// String returns a short form for people.
func (s Space) String() string {
	return fmt.Sprintf("%.12s %dx%d", s.Fingerprint, s.Parts, s.Width)
}

// Vector is a text's unit vector in a Space.
type Vector []float32

// Parts holds the unit vectors of one image, row after row.
type Parts struct {
	Count, Width int
	Values       []float32 // Count x Width
}

// Row returns vector i without a copy.
func (p Parts) Row(i int) []float32 { return p.Values[i*p.Width : (i+1)*p.Width : (i+1)*p.Width] }

// Similarity returns the cosine between the vector and the nearest part, and
// which part that is: ITC's score. It returns -Inf and -1 when there are no parts
// or the widths differ.
func (p Parts) Similarity(vector Vector) (score float32, part int) {
	score, part = float32(math.Inf(-1)), -1
	if len(vector) != p.Width {
		return score, part
	}
	for i := range p.Count {
		var sum float32
		for j, value := range p.Row(i) {
			sum += value * vector[j]
		}
		if sum > score {
			score, part = sum, i
		}
	}
	return score, part
}

// Validate reports a size that does not fit the values.
func (p Parts) Validate() error {
	if p.Count < 0 || p.Width < 0 || p.Count*p.Width != len(p.Values) {
		return fmt.Errorf("parts of %dx%d have %d values", p.Count, p.Width, len(p.Values))
	}
	return nil
}

// ImageTokens is what the vision encoder makes of one image: a row for each patch
// and one for the whole.
type ImageTokens struct {
	Rows, Columns int
	Values        []float32 // Rows x Columns, row-major
}

// Validate reports a size that does not fit the values.
func (t ImageTokens) Validate() error {
	if t.Rows < 0 || t.Columns < 0 || t.Rows*t.Columns != len(t.Values) {
		return fmt.Errorf("image tokens of %dx%d have %d values", t.Rows, t.Columns, len(t.Values))
	}
	return nil
}

// Match says whether an image and a text belong together: ITM's answer.
type Match struct {
	Logits      [2]float32 // no match, match; means over the queries
	Probability float32    // softmax of the logits, of a match; not calibrated
}

// Logit returns the logit of a match, which reranking adds to the similarity.
func (m Match) Logit() float32 { return m.Logits[1] }

func newMatch(mismatch, match float32) Match {
	return Match{
		Logits:      [2]float32{mismatch, match},
		Probability: float32(1 / (1 + math.Exp(float64(mismatch)-float64(match)))),
	}
}

// TextInfo says how a text is read.
type TextInfo struct {
	Tokens    int  // that the model reads, special tokens counted
	Truncated bool // the text was longer than the model reads
	Dropped   int  // tokens cut off the end
	Unread    bool // the vocabulary has no word of it, but for single letters of another script
}

// Caption is a generated description of an image.
type Caption struct {
	Text           string
	LogProbability float32 // natural logarithm, sum over the tokens
	Tokens         int     // generated, the end token included when there is one
}
