package inputs

import (
	"context"
	"fmt"

	"mekiki/embed"
	"mekiki/internal/plural"
)

// Texts gives the vectors of texts, from memory where it can, and warns
// of those that the model reads only in part.
func (m *Model) Texts(ctx context.Context, texts []string) (vectors []embed.Vector, warnings []string, err error) {
	vectors = make([]embed.Vector, len(texts))
	places := map[string][]int{}
	var missing []string
	for i, text := range texts {
		if vector, ok := m.vectors.Get(text); ok {
			vectors[i] = vector
		} else {
			if len(places[text]) == 0 {
				missing = append(missing, text)
			}
			places[text] = append(places[text], i)
		}
	}
	if len(missing) > 0 {
		found, err := m.engine.TextVectors(ctx, missing)
		if err != nil {
			return nil, nil, fmt.Errorf("embed text: %w", err)
		}
		if len(found) != len(missing) {
			return nil, nil, fmt.Errorf("embed text: got %d vectors for %d texts", len(found), len(missing))
		}
		for i, text := range missing {
			m.vectors.Put(text, found[i], 1)
			for _, place := range places[text] {
				vectors[place] = found[i]
			}
		}
	}
	return vectors, m.truncationWarnings(texts), nil
}

// truncationWarnings names what the model does not read.
func (m *Model) truncationWarnings(texts []string) []string {
	worst := 0
	var warnings []string
	for _, text := range texts {
		if info := m.engine.TextInfo(text); info.Truncated && info.Dropped > worst {
			worst = info.Dropped
			warnings = []string{"the text is longer than the model reads: " + plural.Count(info.Dropped, "word piece at its end is ignored", "word pieces at its end are ignored")}
		}
	}
	return warnings
}

// Unread reports whether the model reads nothing of what is wanted.
func (m *Model) Unread(clauses []string) bool {
	for _, clause := range clauses {
		if !m.engine.TextInfo(clause).Unread {
			return false
		}
	}
	return len(clauses) > 0
}
