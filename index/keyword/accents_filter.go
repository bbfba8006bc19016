package keyword

import (
	"sync"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/registry"
)

// accentsFilter is the name of the token filter that folds accents. It works on
// tokens and not on the text, so that the places of words in the text stay right.
const accentsFilter = "fold_accents"

// registerAccents makes the filter known to bleve, which finds filters by name only.
var registerAccents = sync.OnceValue(func() error {
	return registry.RegisterTokenFilter(accentsFilter, func(map[string]any, *registry.Cache) (analysis.TokenFilter, error) {
		return foldTokens{}, nil
	})
})

type foldTokens struct{}

// Filter implements analysis.TokenFilter.
func (foldTokens) Filter(input analysis.TokenStream) analysis.TokenStream {
	for _, token := range input {
		token.Term = []byte(foldAccents(string(token.Term)))
	}
	return input
}
