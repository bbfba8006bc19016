package recall

import (
	"context"
	"time"

	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/keyword"
)

// countKey is a term of a field, or, where that is "", of any, of a collection.
type countKey struct{ collection, field, term string }

// count is how many records have a term, and when that was so.
type count struct {
	count int
	at    time.Time
}

// Known reports which of some terms any record of a collection has, in any field; "" none has. That is remembered for a while, too.
func (m *Memory) Known(ctx context.Context, collection string, terms []string) ([]bool, error) {
	now := m.now()
	known := make([]bool, len(terms))
	var missing []int
	var conditions []engine.Condition
	for i, term := range terms {
		kept, there := m.counts.Get(countKey{collection, "", term})
		switch {
		case term == "":
		case there && now.Sub(kept.at) < countsAge:
			known[i] = kept.count > 0
		default:
			missing, conditions = append(missing, i), append(conditions, document.WithTerms([]string{term}))
		}
	}
	found, err := m.engine.Count(ctx, collection, conditions...)
	if err != nil {
		return nil, err
	}
	for at, i := range missing {
		known[i] = found[at] > 0
		m.counts.Put(countKey{collection, "", terms[i]}, count{found[at], now}, int64(len(terms[i])+100))
	}
	return known, nil
}

// statistics counts the records of the collection that have each of the words, in those fields in which any of some
// records, given by their terms, has it: the others' scores are zero there. Counts are remembered for a while: scores need
// them to be about right.
func (m *Memory) statistics(ctx context.Context, words Words, records []map[string][]string) (keyword.Statistics, error) {
	now, collection := m.now(), words.Collection
	counts := map[countKey]int{}
	var missing []countKey
	var conditions []engine.Condition
	occurs := occurring(words, records)
	keyword.FieldsOf(words.all(), func(field, term string) {
		key := countKey{collection, field, term}
		if !occurs[key] {
			return
		}
		if known, there := m.counts.Get(key); there && now.Sub(known.at) < countsAge {
			counts[key] = known.count
			return
		}
		missing, conditions = append(missing, key), append(conditions, engine.Equal(document.WordsPrefix+field, document.Plain(term)))
	})
	found, err := m.engine.Count(ctx, collection, conditions...)
	if err != nil {
		return keyword.Statistics{}, err
	}
	for i, key := range missing {
		counts[key] = found[i]
		m.counts.Put(key, count{found[i], now}, int64(len(key.term)+100))
	}
	return keyword.Statistics{Documents: words.Records, With: func(field, term string) int {
		return counts[countKey{collection, field, term}]
	}}, nil
}

// occurring gives the words that any of some records, given by their terms, has in a field.
func occurring(words Words, records []map[string][]string) map[countKey]bool {
	occurs := map[countKey]bool{}
	keyword.FieldsOf(words.all(), func(field, term string) { occurs[countKey{words.Collection, field, term}] = false })
	for _, fields := range records {
		for field, terms := range fields {
			for _, term := range terms {
				key := countKey{words.Collection, field, term}
				if _, wanted := occurs[key]; wanted {
					occurs[key] = true
				}
			}
		}
	}
	return occurs
}
