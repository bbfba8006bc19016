// Package spelling reads mistyped words of a query as words that the library has: "girafe" as "giraffe".
//
// A word is read as another one only where no caption, name or tag of the library has it, neither the model nor a list of
// frequent English words has it either, and the library has one that differs from it by a letter (two, of eight letters and more) and begins alike. What the
// library or the model knows is never changed. A proposal, which the reader can leave aside, changes whatever the library lacks.
package spelling

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/embed"
	"mekiki/search/contract"
)

// Library knows the words of its records; every index.Reader is one.
type Library interface {
	Spellings(ctx context.Context, words []string) ([][]string, error)
}

// Model knows words; every model that embeds texts is one.
type Model interface {
	TextInfo(text string) embed.TextInfo
}

// Read gives clauses with words of the library in place of mistyped ones, and what was read as what; none, and the clauses as
// they are, where nothing was. model may be nil.
func Read(ctx context.Context, library Library, model Model, clauses []string) ([]string, []contract.Spelling, error) {
	words := suspects(model, clauses)
	if len(words) == 0 {
		return clauses, nil, nil
	}
	found, err := library.Spellings(ctx, words)
	if err != nil {
		return nil, nil, fmt.Errorf("read words: %w", err)
	}
	var spelled []contract.Spelling
	as := map[string]string{}
	for i, word := range words {
		if i < len(found) && len(found[i]) > 0 {
			as[word] = found[i][0]
			spelled = append(spelled, contract.Spelling{Word: word, As: found[i][0]})
		}
	}
	if len(spelled) == 0 {
		return clauses, nil, nil
	}
	read := make([]string, len(clauses))
	for i, clause := range clauses {
		var out strings.Builder
		eachWord(clause, func(word string, isWord bool) {
			if better := as[word]; isWord && better != "" {
				word = better
			}
			out.WriteString(word)
		})
		read[i] = out.String()
	}
	return read, spelled, nil
}

// Warnings says what was read as what.
func Warnings(spelled []contract.Spelling) []string {
	warnings := make([]string, len(spelled))
	for i, one := range spelled {
		warnings[i] = fmt.Sprintf("%q is nowhere in the library and was read as %q", one.Word, one.As)
	}
	return warnings
}

// suspects are the words of clauses that neither the model nor English has, each once.
func suspects(model Model, clauses []string) (words []string) {
	for _, clause := range clauses {
		eachWord(clause, func(word string, isWord bool) {
			if isWord && len(words) < maximumLooked && utf8.RuneCountInString(word) >= leastLetters && !slices.Contains(words, word) && !has(model, word) && !isEnglish(word) {
				words = append(words, word)
			}
		})
	}
	return words
}

// has reports whether a word is one word piece of the model's vocabulary.
func has(model Model, word string) bool {
	if model == nil {
		return false
	}
	one, info := model.TextInfo("a"), model.TextInfo(word)
	return !info.Unread && info.Tokens <= one.Tokens
}

// eachWord visits a text in parts: words, which are letters alone, and what lies between them. What is joined to a digit,
// or by a hyphen or an apostrophe to more letters, is no word to be read otherwise.
func eachWord(text string, visit func(part string, isWord bool)) {
	inside := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(joins, r)
	}
	for text != "" {
		first, _ := utf8.DecodeRuneInString(text)
		end := strings.IndexFunc(text, func(r rune) bool { return inside(r) != inside(first) })
		if end < 0 {
			end = len(text)
		}
		part := text[:end]
		text = text[end:]
		word := strings.Trim(part, joins)
		if word == "" || !inside(first) || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
			visit(part, false)
			continue
		}
		before := strings.Index(part, word)
		if before > 0 {
			visit(part[:before], false)
		}
		visit(word, true)
		if after := before + len(word); after < len(part) {
			visit(part[after:], false)
		}
	}
}

// joins are the characters that make one of two words, and at the end of one mean nothing.
const joins = "-_'’."
