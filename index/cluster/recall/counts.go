package recall

import (
	"context"
	"time"

	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/keyword"
)

// countKey is a term of a field, of a collection.
type countKey struct{ collection, field, term string }

// count is how many records have a term, and when that was so.
type count struct {
	count int
	at    time.Time
}

// Statistics counts the records of a collection that have each of some words. Counts are
// remembered for a while: scores need them to be about right. Documents is how many records
// there are.
func (m *Memory) Statistics(ctx context.Context, collection, words string, documents int) (keyword.Statistics, error) {
	now := m.now()
	counts := map[countKey]int{}
	var missing []countKey
	var conditions []engine.Condition
	keyword.FieldsOf(words, func(field, term string) {
		key := countKey{collection, field, term}
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
	return keyword.Statistics{Documents: documents, With: func(field, term string) int {
		return counts[countKey{collection, field, term}]
	}}, nil
}
