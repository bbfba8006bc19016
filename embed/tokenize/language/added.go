package language

import (
	"strings"
	"unicode"
	"unicode/utf8"
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
// A nil matcher finds none.
type matcher struct {
	nodes  map[uint64]uint32 // node<<8 | byte to node; 0 is the root
	ends   []int32           // by node: the token that ends there, or -1
	first  [256]bool         // the bytes that tokens begin with
	tokens []foundToken
}

type foundToken struct {
	addedToken
	id int64
}

func newMatcher() *matcher {
	return &matcher{nodes: map[uint64]uint32{}, ends: []int32{-1}}
}

// add adds a token under what is looked for.
func (m *matcher) add(text string, token addedToken, id int64) {
	if text == "" {
		return
	}
	node := uint32(0)
	for i := range len(text) {
		key := uint64(node)<<8 | uint64(text[i])
		next, ok := m.nodes[key]
		if !ok {
			next = uint32(len(m.ends))
			m.nodes[key] = next
			m.ends = append(m.ends, -1)
		}
		node = next
	}
	m.ends[node] = int32(len(m.tokens))
	m.tokens = append(m.tokens, foundToken{token, id})
	m.first[text[0]] = true
}

// longest returns the longest token that a text begins with and its length, or -1.
func (m *matcher) longest(text string) (token int32, length int) {
	token = -1
	node := uint32(0)
	for i := range len(text) {
		next, ok := m.nodes[uint64(node)<<8|uint64(text[i])]
		if !ok {
			break
		}
		if node = next; m.ends[node] >= 0 {
			token, length = m.ends[node], i+1
		}
	}
	return token, length
}

// cut passes on the parts of a text, in order, each with where it begins: tokens
// with their ids, and what is between with noToken.
func (m *matcher) cut(text string, yield func(at int, part string, id int64)) {
	done := 0
	for at := 0; m != nil && len(m.tokens) > 0 && at < len(text); {
		if !m.first[text[at]] {
			at++
			continue
		}
		found, length := m.longest(text[at:])
		if found < 0 {
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
