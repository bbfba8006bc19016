package wordpiece

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// parseVocabulary splits a vocabulary file into tokens and maps them back to
// their ids, adding [DEC] at the end when the file has none: starts says whether
// it has.
func parseVocabulary(vocabulary []byte) (_ []string, _ map[string]int32, starts bool, err error) {
	if len(vocabulary) > maximumVocabularyBytes {
		return nil, nil, false, fmt.Errorf("%d bytes are more than the %d allowed: is this a vocab.txt?",
			len(vocabulary), maximumVocabularyBytes)
	}
	if !utf8.Valid(vocabulary) {
		return nil, nil, false, errors.New("it is not UTF-8 text: is this a vocab.txt?")
	}
	lines := bytes.Count(vocabulary, []byte{'\n'}) + 1
	if lines > maximumVocabularyTokens {
		return nil, nil, false, fmt.Errorf("%d lines are more than the %d allowed: is this a vocab.txt?",
			lines, maximumVocabularyTokens)
	}
	tokens := make([]string, 0, lines+1)
	ids := make(map[string]int32, lines+1)
	rest := string(vocabulary)
	for line := 1; len(rest) > 0; line++ {
		var token string
		token, rest, _ = strings.Cut(rest, "\n")
		token = strings.TrimSuffix(token, "\r")
		if len(token) > maximumTokenBytes {
			return nil, nil, false, fmt.Errorf("line %d has %d bytes, more than the %d allowed: is this a vocab.txt?",
				line, len(token), maximumTokenBytes)
		}
		if first, ok := ids[token]; ok {
			return nil, nil, false, fmt.Errorf("line %d repeats the token %q of line %d: get the model's own vocab.txt",
				line, token, first+1)
		}
		ids[token] = int32(len(tokens))
		tokens = append(tokens, token)
	}
	if _, starts = ids[start]; !starts {
		ids[start] = int32(len(tokens))
		tokens = append(tokens, start)
	}
	return tokens, ids, starts, checkSpecials(ids)
}

// checkSpecials names every special token that a vocabulary lacks.
func checkSpecials(ids map[string]int32) error {
	var missing []string
	for _, token := range []string{padding, unknown, classifier, separator, mask} {
		if _, ok := ids[token]; !ok {
			missing = append(missing, token)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no line holds the special token %s: BLIP-2 needs the vocab.txt of bert-base-uncased",
			strings.Join(missing, ", "))
	}
	return nil
}

// specials finds the special tokens in a text.
type specials struct {
	padding, unknown, classifier, separator, mask, start int32
	tokens                                               [6]string
	// inText is how many of the tokens, which [DEC] ends, may stand in a text.
	inText int
	ids    [6]int32
}

// newSpecials looks the special tokens up; all of them must be in ids. Without a row of its own in the vocabulary, as
// starts says, [DEC] in a text is plain text.
func newSpecials(ids map[string]int32, starts bool) specials {
	s := specials{
		padding: ids[padding], unknown: ids[unknown], classifier: ids[classifier],
		separator: ids[separator], mask: ids[mask], start: ids[start],
		tokens: [6]string{padding, unknown, classifier, separator, mask, start},
	}
	s.inText = len(s.tokens)
	if !starts {
		s.inText--
	}
	for i, token := range s.tokens {
		s.ids[i] = ids[token]
	}
	return s
}

// find returns where the first special token of text starts, its length and
// its id, or -1 when there is none. No special token starts with another.
func (s *specials) find(text string) (at, length int, id int32) {
	for from := 0; ; {
		bracket := strings.IndexByte(text[from:], '[')
		if bracket < 0 {
			return -1, 0, 0
		}
		from += bracket
		for i, token := range s.tokens[:s.inText] {
			if strings.HasPrefix(text[from:], token) {
				return from, len(token), s.ids[i]
			}
		}
		from++
	}
}

// has reports whether id is a special token's.
func (s *specials) has(id int64) bool {
	for _, special := range s.ids {
		if int64(special) == id {
			return true
		}
	}
	return false
}
