package blip2

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parts of a model in a [Share].
const (
	VisionPart  = "vision encoder"
	QFormerPart = "query transformer"
	CaptionPart = "caption head"
)

// sharedTextLength is the tokens of the text that multiply-adds are counted with.
const sharedTextLength = 12

// leastSpeedup is how many times as fast as float32 an int8 model should be at least; less is not worth what it loses.
const leastSpeedup = 1.1

// Share tells how much of a part of an int8 model one method computes.
type Share struct {
	Part   string `json:"part"`
	Method string `json:"method"` // as in LayerChoice
	// Products counts matrix products, ProductShare is their share of the part's, between 0 and 1.
	Products     int     `json:"products"`
	ProductShare float64 `json:"product_share"`
	// MultiplyAdds is how many multiplications with an addition these take for one image, matched with one text of 12
	// tokens; MultiplyAddShare is their share of the part's, between 0 and 1.
	MultiplyAdds     int64   `json:"multiply_adds"`
	MultiplyAddShare float64 `json:"multiply_add_share"`
}

// Shares tells for every part of an int8 model which share of it is computed how, in the order of the parts and from the
// fastest method to float32. It is empty for models in float32.
func (m Manifest) Shares() []Share {
	var shares []Share
	products, work := map[string]int{}, map[string]int64{}
	shapes := tensorShapes(m.Config, m.HasCaptionHead)
	for _, choice := range m.Quantization {
		part, size := partOf(choice.Layer), m.multiplyAdds(shapes, choice.Layer)
		at := slices.IndexFunc(shares, func(share Share) bool { return share.Part == part && share.Method == choice.Method })
		if at < 0 {
			at, shares = len(shares), append(shares, Share{Part: part, Method: choice.Method})
		}
		shares[at].Products++
		shares[at].MultiplyAdds += size
		products[part]++
		work[part] += size
	}
	for i := range shares {
		share := &shares[i]
		share.ProductShare = float64(share.Products) / float64(products[share.Part])
		share.MultiplyAddShare = float64(share.MultiplyAdds) / float64(max(1, work[share.Part]))
	}
	parts := []string{VisionPart, QFormerPart, CaptionPart}
	methods := []string{string(methodInt8), string(methodRows), string(methodBlocks), string(methodFloat)}
	slices.SortStableFunc(shares, func(a, b Share) int {
		return cmp.Or(cmp.Compare(slices.Index(parts, a.Part), slices.Index(parts, b.Part)),
			cmp.Compare(slices.Index(methods, a.Method), slices.Index(methods, b.Method)))
	})
	return shares
}

func partOf(product string) string {
	switch {
	case strings.HasPrefix(product, "vision_model."):
		return VisionPart
	case strings.HasPrefix(product, "qformer."):
		return QFormerPart
	}
	return CaptionPart
}

// multiplyAdds is the work of a product by the shape of its weights and the rows that it reads; 0 for one that is not known.
func (m Manifest) multiplyAdds(shapes map[string][]int, product string) int64 {
	layer, more, _ := strings.Cut(product, "+") // as linear.name has it
	layers, _ := strconv.Atoi(more)
	shape := shapes[layer+".weight"]
	if len(shape) != 2 {
		return 0
	}
	return int64(layers+1) * int64(shape[0]) * int64(shape[1]) * int64(m.rows(layer))
}

// rows is how many rows a product reads for one image and one text.
func (m Manifest) rows(layer string) int {
	switch {
	case strings.HasPrefix(layer, "vision_model."),
		strings.HasSuffix(layer, "crossattention.attention.key"), strings.HasSuffix(layer, "crossattention.attention.value"):
		return m.Config.Vision.Tokens()
	case strings.Contains(layer, ".crossattention."), strings.Contains(layer, querySuffix+"."):
		return m.Config.QueryTokens
	case strings.Contains(layer, ".attention."):
		return m.Config.QueryTokens + sharedTextLength
	}
	return sharedTextLength
}

// Warnings says, in sentences for the user, what speaks against using this model as it is. There are none for a model in
// float32.
func (m Manifest) Warnings() []string {
	if m.SelfCheck == nil {
		return nil
	}
	check := *m.SelfCheck
	var warnings []string
	if !check.good() {
		among := ""
		if check.MatchSpread > 0 {
			among = fmt.Sprintf(" of a spread of %.1f, probabilities by up to %.3f", check.MatchSpread, check.ProbabilityDifference)
		}
		warnings = append(warnings, fmt.Sprintf("int8 loses too much of this model: match logits differ from fp32 by up to %.3f%s; "+
			"the worst cosines are %.4f of parts and %.4f of texts", check.MatchDifference, among, check.WorstCosine, check.TextWorstCosine))
	}
	if speedup := check.Speedup(); speedup < leastSpeedup {
		warnings = append(warnings, fmt.Sprintf("int8 brings this model no speed on this machine: an image takes %.2f times as long in fp32", speedup))
	}
	return warnings
}

// Speedup is how many times as fast as float32 the model read an image.
func (c SelfCheck) Speedup() float64 { return c.Float32Seconds / c.Int8Seconds }
