package blip2

import (
	"errors"
	"fmt"

	"mekiki/embed/checkpoint"
)

// Bounds on a configuration: far above any published model, low enough that
// sizes computed from it cannot overflow.
const (
	maximumWidth      = 1 << 16
	maximumLayers     = 1 << 10
	maximumImageSize  = 1 << 13
	maximumVocabulary = 1 << 22
	maximumQueries    = 1 << 12
)

// validateConfig reports everything in a configuration that no graph can be
// built for.
func validateConfig(config checkpoint.Config) error {
	var problems []error
	within := func(what string, value, most int) {
		if value < 1 || value > most {
			problems = append(problems, fmt.Errorf("%s is %d, not between 1 and %d", what, value, most))
		}
	}
	divides := func(what string, width, heads int) {
		if heads < 1 || width%heads != 0 {
			problems = append(problems, fmt.Errorf("%s: width %d does not divide into %d heads", what, width, heads))
		}
	}
	vision, former := config.Vision, config.QFormer
	within("vision width", vision.HiddenSize, maximumWidth)
	within("vision layers", vision.Layers, maximumLayers)
	within("vision feed-forward width", vision.IntermediateSize, maximumWidth)
	within("image size", vision.ImageSize, maximumImageSize)
	within("patch size", vision.PatchSize, maximumImageSize)
	if vision.PatchSize > vision.ImageSize {
		problems = append(problems, fmt.Errorf("patch size %d exceeds image size %d", vision.PatchSize, vision.ImageSize))
	}
	divides("vision encoder", vision.HiddenSize, vision.Heads)
	if vision.Activation != geluActivation && vision.Activation != quickGeluActivation {
		problems = append(problems, fmt.Errorf("activation %q is not %s or %s", vision.Activation, geluActivation, quickGeluActivation))
	}
	within("Q-Former width", former.HiddenSize, maximumWidth)
	within("Q-Former layers", former.Layers, maximumLayers)
	within("Q-Former feed-forward width", former.IntermediateSize, maximumWidth)
	within("vocabulary", former.VocabularySize, maximumVocabulary)
	within("positions", former.MaxPositions, maximumVocabulary)
	within("cross-attention frequency", former.CrossAttentionFrequency, maximumLayers)
	divides("Q-Former", former.HiddenSize, former.Heads)
	within("queries", config.QueryTokens, maximumQueries)
	within("projection width", config.ProjectionSize, maximumWidth)
	return errors.Join(problems...)
}

// The vision encoder's activations.
const (
	geluActivation      = "gelu"
	quickGeluActivation = "quick_gelu"
	quickGeluAlpha      = 1.702
)
