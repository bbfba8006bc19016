package spelling

import (
	"strings"
	"sync"
	"unicode/utf8"

	"mekiki/embed/tokenize/wordpiece"
	"mekiki/index/keyword"
)

// isEnglish reports whether a word, or one with another ending, is among those that BERT's vocabulary has in one piece: some
// 20,000 frequent words. They are read once, when a word is first in doubt.
func isEnglish(word string) bool {
	for _, term := range keyword.Terms(word) {
		if !englishTerms()[term] {
			return false
		}
	}
	return true
}

var englishTerms = sync.OnceValue(func() map[string]bool {
	terms := map[string]bool{}
	vocabulary, err := wordpiece.BERTVocabulary()
	if err != nil { // it is part of the program; without it every word is in doubt
		return terms
	}
	for line := range strings.Lines(string(vocabulary)) {
		word := strings.TrimSpace(line)
		if strings.HasPrefix(word, "#") || utf8.RuneCountInString(word) < leastLetters {
			continue
		}
		for _, term := range keyword.Terms(word) {
			terms[term] = true
		}
	}
	return terms
})
