package embed

import (
	"math"
	"slices"

	"mekiki/embed/manifest"
)

// Vision says which vision encoder makes a model's image tokens.
type Vision struct {
	// ID identifies the encoder, its final layer norm included. It is empty for models that were compiled before it was noted.
	ID string
	// Norm is that norm, and identifies what comes before it; nil for models that were compiled before it was noted.
	Norm *manifest.VisionNorm
}

// VisionOf is the vision encoder of a compiled model.
func VisionOf(model manifest.Manifest) Vision {
	return Vision{ID: model.Vision, Norm: model.VisionNorm}
}

// From tells how image tokens of another encoder become those of this one: as they are where the encoders are equal, and
// by the two norms where only these differ,
//
//	token' = (token - bias of other) / weight of other * weight + bias
//
// since both norms scale the same normalised features. It is false where the encoders have nothing to do with each other.
func (v Vision) From(other Vision) (TokenChange, bool) {
	if v.ID != "" && v.ID == other.ID {
		return TokenChange{}, true
	}
	if v.Norm == nil || other.Norm == nil || v.Norm.Tower != other.Norm.Tower || len(v.Norm.Weight) != len(other.Norm.Weight) {
		return TokenChange{}, false
	}
	var largest float32
	for _, weight := range other.Norm.Weight {
		largest = max(largest, abs(weight))
	}
	change := TokenChange{scale: make([]float32, len(v.Norm.Weight)), shift: make([]float32, len(v.Norm.Weight))}
	for i, weight := range v.Norm.Weight {
		known := other.Norm.Weight[i]
		if abs(known) < smallestNormWeight*largest && weight != known {
			return TokenChange{}, false
		}
		if weight == known { // also where both are zero
			change.scale[i], change.shift[i] = 1, v.Norm.Bias[i]-other.Norm.Bias[i]
			continue
		}
		change.scale[i] = weight / known
		change.shift[i] = v.Norm.Bias[i] - other.Norm.Bias[i]*change.scale[i]
	}
	return change, true
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// TokenChange turns image tokens of one vision encoder into those of another; see [Vision.From]. Its zero value leaves
// them as they are. It is safe for concurrent use.
type TokenChange struct {
	scale, shift []float32 // one for each feature; none: nothing changes
}

// Apply gives the changed tokens. What it was given stays as it was, and is given back where nothing changes or the tokens are
// not as wide as the encoder's.
func (c TokenChange) Apply(tokens ImageTokens) ImageTokens {
	if len(c.scale) == 0 || tokens.Columns != len(c.scale) {
		return tokens
	}
	changed := tokens
	changed.Values = slices.Clone(tokens.Values)
	for row := range slices.Chunk(changed.Values, tokens.Columns) {
		for column, value := range row {
			row[column] = value*c.scale[column] + c.shift[column]
		}
	}
	return changed
}
