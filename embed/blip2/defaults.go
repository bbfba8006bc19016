package blip2

import (
	"math"

	"mekiki/embed/modelconfig"
)

// mostContinuation bounds the tokens of a sample text.
const mostContinuation = 64

// mergedShare is the share of the patches whose tokens a model compiled for speed has merged after its last layer, the same
// number in each.
const mergedShare = 0.75

// mergedTokens is how many tokens such a model merges in each layer: of ViT-g at 224 pixels 5 of 257, of the built-in model 8 of 65.
func mergedTokens(vision modelconfig.Vision) int {
	return max(1, int(math.Round(mergedShare*float64(vision.Tokens()-1)/float64(vision.Layers))))
}
