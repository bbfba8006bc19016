package search

import (
	"cmp"
	"path"
	"strings"

	"mekiki/index/keyword"
	"mekiki/search/contract"
)

// highlight marks in hits the words that the query's words matched, in what an answer shows of a record.
func (p *plan) highlight(hits []contract.Hit) {
	terms := map[string]bool{}
	for _, text := range append([]string{p.keywords()}, p.phrases...) {
		for _, term := range keyword.Terms(text) {
			terms[term] = true
		}
	}
	if len(terms) == 0 {
		return
	}
	for i := range hits {
		hit := &hits[i]
		mark := func(field, text string) {
			var words []contract.Position
			for _, place := range keyword.Places(text, terms) {
				words = append(words, contract.Position(place))
			}
			if len(words) > 0 {
				hit.Highlights = append(hit.Highlights, contract.Highlight{Field: field, Text: text, Words: words})
			}
		}
		mark("caption", hit.Caption)
		mark("title", hit.Title)
		mark("name", path.Base(strings.ReplaceAll(cmp.Or(hit.Name, hit.Path), `\`, "/")))
		for _, tag := range hit.Tags {
			mark("tag", tag)
		}
		mark("text", hit.Text)
	}
}
