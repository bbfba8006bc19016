// Package termtext makes names and texts of unknown origin safe to show in a
// terminal.
package termtext

import (
	"strings"
	"unicode"
)

// Clean replaces what could command a terminal, or make a text look like
// another: control characters, line ends among them, and characters that change
// the direction of writing.
func Clean(text string) string { return strings.Map(harmless, text) }

// CleanLines is Clean for a text of several lines: line ends and tabs stay.
func CleanLines(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		return harmless(r)
	}, text)
}

func harmless(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
		return unicode.ReplacementChar
	}
	return r
}
