package blip2

import (
	"fmt"
	"strconv"
	"strings"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/language"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
)

// Parts of a model in a [manifest.Share].
const (
	VisionPart  = "vision encoder"
	QFormerPart = "query transformer"
	CaptionPart = "caption head"

	LanguagePart = "language model"
)

// sharedTextLength is the tokens of the text that multiply-adds are counted with.
const sharedTextLength = 12

// shares tells for every part of an int8 model which share of it is computed how.
func shares(model manifest.Manifest) []manifest.Share {
	shapes := tensors.Shapes(model.Config, model.HasCaptionHead)
	return model.Shares(func(product string) (string, int64) {
		return partOf(product), multiplyAdds(model.Config, shapes, product)
	})
}

func partOf(product string) string {
	switch {
	case strings.HasPrefix(product, visionPrefix):
		return VisionPart
	case strings.HasPrefix(product, "qformer."):
		return QFormerPart
	case strings.HasPrefix(product, language.Prefix):
		return LanguagePart
	}
	return CaptionPart
}

// multiplyAdds is the work of a product by the shape of its weights and the rows that it reads; 0 for one that is not known.
func multiplyAdds(config modelconfig.Config, shapes map[string][]int, product string) int64 {
	layer, more, _ := strings.Cut(product, "+") // as Product.Name has it
	layers, _ := strconv.Atoi(more)
	shape := shapes[layer+".weight"]
	if len(shape) != 2 {
		return 0
	}
	return int64(layers+1) * int64(shape[0]) * int64(shape[1]) * int64(rows(config, layer))
}

// rows is how many rows a product reads for one image and one text.
func rows(config modelconfig.Config, layer string) int {
	switch {
	case strings.HasPrefix(layer, visionPrefix):
		return visionRows(config.Vision, layer)
	case strings.HasSuffix(layer, "crossattention.attention.key"), strings.HasSuffix(layer, "crossattention.attention.value"):
		return config.Vision.Tokens()
	case strings.Contains(layer, ".crossattention."), strings.Contains(layer, querySuffix+"."):
		return config.QueryTokens
	case strings.HasPrefix(layer, language.Prefix+"encoder."), strings.Contains(layer, ".EncDecAttention.k"): // of T5
		return config.QueryTokens + sharedTextLength
	case strings.Contains(layer, ".attention."):
		return config.QueryTokens + sharedTextLength
	}
	return sharedTextLength
}

// visionRows is how many rows a product of the vision encoder reads: those of its feed-forward block come after tokens were merged.
func visionRows(config modelconfig.Vision, layer string) int {
	var number int
	var rest string
	if _, err := fmt.Sscanf(layer, visionPrefix+"encoder.layers.%d.%s", &number, &rest); err != nil || number < 0 || number >= config.Layers {
		return config.Tokens()
	}
	if strings.HasPrefix(rest, "mlp.") {
		number++
	}
	return config.LayerTokens(number)
}
