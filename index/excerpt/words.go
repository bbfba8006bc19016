package excerpt

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/keyword"
)

// Keyword finds by words where details are shown: tags and names, which it finds too, are such. A library finds by the words of
// folders too, and by more that is not shown, so that a hit is one only if it says the words where it is seen to.
func (r *excerptReader) Keyword(ctx context.Context, query index.KeywordQuery, k int, filter index.Filter) ([]index.KeywordHit, error) {
	filter, some := r.shown.narrow(filter, r.terms)
	if !some || !r.terms.Details {
		return nil, nil
	}
	wanted := index.KeywordQuery{Text: query.Text, Phrases: query.Phrases, Kind: query.Kind, ScoresOnly: true}
	hits, err := r.reader.Keyword(ctx, wanted, len(filter.IDs), filter)
	if err != nil {
		return nil, err
	}
	ids := make([]index.ID, len(hits))
	for i, hit := range hits {
		ids[i] = hit.ID
	}
	records, err := r.Records(ctx, ids)
	if err != nil {
		return nil, err
	}
	said := wordsOf(query)
	found := hits[:0]
	for i, record := range records {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if record == nil || len(found) == k {
			continue
		}
		if score := said.score(record); score > 0 {
			found = append(found, index.KeywordHit{ID: hits[i].ID, Score: score})
		}
	}
	slices.SortStableFunc(found, func(a, b index.KeywordHit) int { return cmp.Compare(b.Score, a.Score) })
	return found, nil
}

// words are those of a query, as terms of the keyword index.
type words struct {
	any               map[string]bool
	phrases, unwanted [][]string
}

func wordsOf(query index.KeywordQuery) words {
	w := words{any: map[string]bool{}}
	for _, term := range keyword.Terms(query.Text) {
		w.any[term] = true
	}
	for _, phrase := range query.Phrases {
		w.phrases = append(w.phrases, keyword.Terms(phrase))
	}
	for _, phrase := range query.Exclude {
		if terms := keyword.Terms(phrase); len(terms) > 0 {
			w.unwanted = append(w.unwanted, terms)
		}
	}
	return w
}

// score is how many words a record says, as it is shown; 0 where it is no hit.
func (w words) score(record *index.Record) float64 {
	texts := textsOf(record)
	if slices.ContainsFunc(w.phrases, func(phrase []string) bool { return !say(texts, phrase) }) ||
		slices.ContainsFunc(w.unwanted, func(phrase []string) bool { return say(texts, phrase) }) {
		return 0
	}
	found := map[string]bool{}
	for _, terms := range texts {
		for _, term := range terms {
			if w.any[term] {
				found[term] = true
			}
		}
	}
	return float64(min(len(w.phrases), 1) + len(found))
}

// say reports whether one of some texts has the words of a phrase, one after the other.
func say(texts [][]string, phrase []string) bool {
	return slices.ContainsFunc(texts, func(terms []string) bool {
		for at := range len(terms) - len(phrase) + 1 {
			if slices.Equal(terms[at:at+len(phrase)], phrase) {
				return true
			}
		}
		return false
	})
}

// textsOf gives what a record says, as it is shown.
func textsOf(record *index.Record) (texts [][]string) {
	m := &record.Metadata
	all := []string{m.Title, m.Description, m.Creator, m.Place, m.Camera}
	all = slices.Concat(all, record.Tags, m.Keywords, m.People, record.OCR.Texts())
	for _, caption := range record.Captions {
		all = append(all, caption.Text)
	}
	for _, name := range record.Paths() {
		all = append(all, strings.TrimSuffix(name, path.Ext(name)))
	}
	for _, text := range all {
		texts = append(texts, keyword.Terms(text))
	}
	return texts
}
