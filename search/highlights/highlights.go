// Package highlights marks in the texts that a hit shows the words that a query's words matched.
package highlights

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/keyword"
	"mekiki/search/contract"
)

// Mark gives hits their highlights: where words of the texts stand in what the hits show.
func Mark(hits []contract.Hit, texts ...string) {
	terms := termsOf(texts)
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

// MarkOCR gives hits highlights of the words in their pictures: where words of the query's texts stand, and where the
// texts stand that a filter looks for. Of each picture it marks mostLines lines, the first.
func MarkOCR(hits []contract.Hit, wanted []string, texts ...string) {
	terms := termsOf(texts)
	if len(terms) == 0 && len(wanted) == 0 {
		return
	}
	for i := range hits {
		if hits[i].Record == nil || hits[i].Record.OCR == nil {
			continue
		}
		found, marked := filters.OCRPlaces(hits[i].Record.OCR, wanted), 0
		for number, line := range hits[i].Record.OCR.Lines {
			places := keyword.Places(line.Text, terms)
			if found != nil {
				places = keyword.JoinPlaces(append(places, found[number]...))
			}
			if len(places) == 0 {
				continue
			}
			words := make([]contract.Position, len(places))
			for at, place := range places {
				words[at] = contract.Position(place)
			}
			hits[i].Highlights = append(hits[i].Highlights, contract.Highlight{Field: keyword.FieldOCR, Text: line.Text, Words: words})
			if marked++; marked == mostLines {
				break
			}
		}
	}
}

// termsOf are the terms of texts.
func termsOf(texts []string) map[string]bool {
	terms := map[string]bool{}
	for _, text := range texts {
		for _, term := range keyword.Terms(text) {
			terms[term] = true
		}
	}
	return terms
}

// Fields gives the keyword matches in the order of the fields' names.
func Fields(fragments map[string][]string) []contract.FieldMatch {
	var fields []contract.FieldMatch
	for field, excerpts := range fragments {
		if len(excerpts) > 0 {
			fields = append(fields, contract.FieldMatch{Field: field, Fragments: excerpts})
		}
	}
	slices.SortFunc(fields, func(a, b contract.FieldMatch) int { return strings.Compare(a.Field, b.Field) })
	return fields
}

// Find gives the words of records that a query matches, by record and field; nil for no records.
func Find(ctx context.Context, reader index.Reader, query index.KeywordQuery, ids []index.ID) (map[index.ID][]contract.FieldMatch, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	hits, err := reader.Keyword(ctx, query, len(ids), index.Filter{IDs: ids})
	if err != nil {
		return nil, fmt.Errorf("find matching words: %w", err)
	}
	matched := make(map[index.ID][]contract.FieldMatch, len(hits))
	for _, hit := range hits {
		matched[hit.ID] = Fields(hit.Fragments)
	}
	return matched, nil
}
