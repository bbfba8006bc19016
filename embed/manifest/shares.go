package manifest

import (
	"cmp"
	"slices"
)

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

// methods lists what LayerChoice.Method can be, from the fastest to float32.
var methods = []string{"int8", "int8_rows", "int4_blocks", "int8_wide_blocks", "int8_blocks", "fp32"}

// Shares tells for every part of an int8 model which share of it is computed how, in the order in which the parts are met
// and from the fastest method to float32. It is empty for models in float32. Describe says which part a product belongs to,
// and how many multiply-adds it is for one image and a text.
func (m Manifest) Shares(describe func(product string) (part string, multiplyAdds int64)) []Share {
	var shares []Share
	var parts []string
	products, work := map[string]int{}, map[string]int64{}
	for _, choice := range m.Quantization {
		part, size := describe(choice.Layer)
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
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
	slices.SortStableFunc(shares, func(a, b Share) int {
		return cmp.Or(cmp.Compare(slices.Index(parts, a.Part), slices.Index(parts, b.Part)),
			cmp.Compare(slices.Index(methods, a.Method), slices.Index(methods, b.Method)))
	})
	return shares
}
