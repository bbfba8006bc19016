package vqa

import (
	"fmt"
	"strings"

	"github.com/aaaton/golem/v4"
	"github.com/aaaton/golem/v4/dicts/en"
)

// Lemmas reduces words of answers to their dictionary forms: "surfing skis" to "surf ski". OK-VQA's published figures compare
// answers so. Those reduce nouns and verbs alone, told by a tagger; here every word that the dictionary has is reduced, of the
// model's answer and of people's alike. It may be used from any goroutine.
type Lemmas struct{ words *golem.Lemmatizer }

// NewLemmas reads the dictionary, 26,000 English words with their forms, which takes some 200 ms and 4 MB of memory.
func NewLemmas() (*Lemmas, error) {
	words, err := golem.New(en.New())
	if err != nil {
		return nil, fmt.Errorf("read the dictionary: %w", err)
	}
	return &Lemmas{words}, nil
}

// Reduce gives the normal form of an answer with its words reduced.
func (l *Lemmas) Reduce(answer string) string {
	words := strings.Fields(Normalize(answer))
	for i, word := range words {
		words[i] = l.words.LemmaLower(word)
	}
	return strings.Join(words, " ")
}

// Accuracy is [Accuracy] of answers whose words are reduced.
func (l *Lemmas) Accuracy(answer string, people []string) float64 {
	reduced := make([]string, len(people))
	for i, person := range people {
		reduced[i] = l.Reduce(person)
	}
	return Accuracy(l.Reduce(answer), reduced)
}
