package document

import (
	"context"
	"fmt"

	"mekiki/index/cluster/engine"
	"mekiki/index/keyword"
)

// WithTerms lets pass what has any of some terms in any field.
func WithTerms(terms []string) engine.Condition {
	var conditions []engine.Condition
	for _, field := range keyword.Fields() {
		conditions = append(conditions, engine.OneOf(WordsPrefix+field.Name, Texts(terms)))
	}
	return engine.Any(conditions...)
}

// WeightedFields are the properties that words are looked for in, with the weights of
// package keyword: the engine takes whole numbers.
func WeightedFields() []string {
	var fields []string
	for _, field := range keyword.Fields() {
		fields = append(fields, fmt.Sprintf("%s%s^%d", WordsPrefix, field.Name, int(20*field.Weight+0.5)))
	}
	return fields
}

// InMemory asks an index of some documents.
func InMemory[V any](ctx context.Context, documents []keyword.Document, ask func(*keyword.Reader) (V, error)) (answer V, err error) {
	x, err := keyword.OpenMemory()
	if err != nil {
		return answer, err
	}
	defer x.Close()
	if err := x.Apply(ctx, 1, documents, nil); err != nil {
		return answer, err
	}
	reader, err := x.Reader()
	if err != nil {
		return answer, err
	}
	defer reader.Close()
	return ask(reader)
}

// Patterns match every term that differs from one by a number of letters and begins with the
// same one: cut into one piece more than there are edits, one piece at least is whole.
func Patterns(term string, edits int) []string {
	letters := []rune(term)
	first, rest := string(letters[:1]), letters[1:]
	var list []string
	for i := range edits + 1 {
		piece := rest[i*len(rest)/(edits+1) : (i+1)*len(rest)/(edits+1)]
		list = append(list, first+"*"+string(piece)+"*")
	}
	return list
}
