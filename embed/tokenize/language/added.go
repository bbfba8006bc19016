package language

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/embed/tokenize/trie"
)

// addedToken is a token that is found in a text as a whole, before it is split
// into words.
type addedToken struct {
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	Lstrip     bool   `json:"lstrip"`
	Rstrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// matcher finds added tokens in a text: from the left, at every place the longest.
type matcher struct {
	trie   *trie.Trie // of places in tokens
	first  [256]bool  // the bytes that tokens begin with
	tokens []foundToken
}

type foundToken struct {
	addedToken
	id int64
}

func newMatcher() *matcher { return &matcher{trie: trie.New(0)} }

// add adds a token under what is looked for.
func (m *matcher) add(text string, token addedToken, id int64) {
	if text == "" {
		return
	}
	m.trie.Insert(text, int32(len(m.tokens)))
	m.tokens = append(m.tokens, foundToken{token, id})
	m.first[text[0]] = true
}

// cut passes on the parts of a text, in order, each with where it begins: tokens
// with their ids, and what is between with noToken.
func (m *matcher) cut(text string, yield func(at int, part string, id int64)) {
	done := 0
	for at := 0; len(m.tokens) > 0 && at < len(text); {
		if !m.first[text[at]] {
			at++
			continue
		}
		found, length := m.trie.Longest(text[at:])
		if found == trie.None {
			at++
			continue
		}
		token := m.tokens[found]
		start, end := at, at+length
		at = end
		if token.SingleWord && (endsWithWord(text[:start]) || startsWithWord(text[end:])) {
			continue
		}
		if token.Lstrip {
			start = max(len(strings.TrimRightFunc(text[:start], unicode.IsSpace)), done)
		}
		if token.Rstrip {
			end = len(text) - len(strings.TrimLeftFunc(text[end:], unicode.IsSpace))
		}
		if done < start {
			yield(done, text[done:start], noToken)
		}
		yield(start, text[start:end], token.id)
		done = end
	}
	if done < len(text) {
		yield(done, text[done:], noToken)
	}
}

func endsWithWord(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return text != "" && isWord(r)
}

func startsWithWord(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text != "" && isWord(r)
}

// isWord reports whether \w of a regular expression matches r.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}
