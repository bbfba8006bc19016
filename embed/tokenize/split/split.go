// Package split cuts texts into the words that byte-pair encoding is applied to,
// as the pre-tokenizers of language models do.
//
//	GPT2("it's 12 cats")   it 's ␣12 ␣cats
//
// Each pattern takes a text, which is not empty, and returns how many bytes of it
// the first word has. Together the words are the text. They are the regular
// expressions of the models' own tokenizers, written out: they take one step a
// character, whatever the text.
package split

import (
	"unicode"
	"unicode/utf8"
)

// Pattern returns how many bytes of a text, which is not empty, its first word has.
type Pattern func(text string) int

// The regular expressions that Named knows.
const (
	// GPT2Expression splits the texts of GPT-2, OPT and SmolLM2.
	GPT2Expression = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	// Llama3Expression splits the texts of Llama 3.
	Llama3Expression = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// Qwen2Expression splits the texts of Qwen 2.
	Qwen2Expression = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// Named returns the pattern of a regular expression, which must be spelled as one
// of those above.
func Named(expression string) (Pattern, bool) {
	switch expression {
	case GPT2Expression:
		return GPT2, true
	case Llama3Expression:
		return Llama3, true
	case Qwen2Expression:
		return Qwen2, true
	}
	return nil, false
}

// GPT2 is the pattern of GPT2Expression.
func GPT2(text string) int {
	if n := contraction(text, false); n > 0 {
		return n
	}
	at := 0
	if text[0] == ' ' && len(text) > 1 {
		at = 1
	}
	kind, size := classify(text[at:])
	if kind == space {
		return spaces(text)
	}
	return at + size + run(text[at+size:], kind)
}

// Llama3 is the pattern of Llama3Expression.
func Llama3(text string) int { return contemporary(text, 3) }

// Qwen2 is the pattern of Qwen2Expression.
func Qwen2(text string) int { return contemporary(text, 1) }

// contemporary is the pattern of Llama 3 and its relatives, with at most so many
// digits a word.
func contemporary(text string, digits int) int {
	if n := contraction(text, true); n > 0 {
		return n
	}
	kind, size := classify(text)
	switch kind {
	case letter:
		return size + run(text[size:], letter)
	case number:
		for n := 1; n < digits && size < len(text); n++ {
			next, width := classify(text[size:])
			if next != number {
				break
			}
			size += width
		}
		return size
	}
	if text[0] != '\r' && text[0] != '\n' && size < len(text) {
		if next, width := classify(text[size:]); next == letter {
			return size + width + run(text[size+width:], letter)
		}
	}
	if text[0] == ' ' && len(text) > 1 {
		if next, width := classify(text[1:]); next == other {
			return symbols(text, 1+width)
		}
	}
	if kind == other {
		return symbols(text, size)
	}
	end := run(text, space)
	if newline := lastNewline(text[:end]); newline > 0 {
		return newline
	}
	return spaces(text)
}

// symbols returns the end of a run of symbols, of which the first end bytes were
// read, and the newlines after it.
func symbols(text string, end int) int {
	end += run(text[end:], other)
	for end < len(text) && (text[end] == '\r' || text[end] == '\n') {
		end++
	}
	return end
}

// lastNewline returns the end of the last newline of a text, or 0.
func lastNewline(text string) int {
	for end := len(text); end > 0; end-- {
		if text[end-1] == '\n' || text[end-1] == '\r' {
			return end
		}
	}
	return 0
}

// spaces returns the length of the run of white space that a text begins with,
// without its last character where something follows it.
func spaces(text string) int {
	end := run(text, space)
	if end == len(text) {
		return end
	}
	_, last := utf8.DecodeLastRuneInString(text[:end])
	if last == end {
		return end
	}
	return end - last
}

// contraction returns the length of the 's, 't, 're, 've, 'm, 'll or 'd that a text
// begins with, or 0. With fold, capitals count, and the long s that is one's.
func contraction(text string, fold bool) int {
	if text[0] != '\'' || len(text) < 2 {
		return 0
	}
	a, b := text[1], byte(0)
	if len(text) > 2 {
		b = text[2]
	}
	if fold {
		if a == 0xC5 && b == 0xBF { // ſ, the small letter of S
			return 3
		}
		a, b = asciiLower(a), asciiLower(b)
	}
	switch {
	case a == 's', a == 't', a == 'm', a == 'd':
		return 2
	case a == 'r' && b == 'e', a == 'v' && b == 'e', a == 'l' && b == 'l':
		return 3
	}
	return 0
}

func asciiLower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// The kinds of characters.
type kind int

const (
	other kind = iota
	letter
	number
	space
)

// classify returns the kind and the size of a text's first character.
func classify(text string) (kind, int) {
	b := text[0]
	switch {
	case b >= utf8.RuneSelf:
		r, size := utf8.DecodeRuneInString(text)
		return classifyRune(r), size
	case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z':
		return letter, 1
	case b >= '0' && b <= '9':
		return number, 1
	case b == ' ', b >= '\t' && b <= '\r':
		return space, 1
	}
	return other, 1
}

func classifyRune(r rune) kind {
	switch {
	case unicode.Is(letterTable, r):
		return letter
	case unicode.Is(numberTable, r):
		return number
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// run returns the length of the run of characters of one kind that a text begins
// with.
func run(text string, want kind) int {
	end := 0
	for end < len(text) {
		found, size := classify(text[end:])
		if found != want {
			break
		}
		end += size
	}
	return end
}

// IsDigit reports whether the pre-tokenizer Digits sets r apart: whether Unicode
// calls it a number.
func IsDigit(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= '0' && r <= '9'
	}
	return unicode.Is(digitTable, r)
}
