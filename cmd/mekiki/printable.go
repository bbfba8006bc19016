package main

import (
	"strings"
	"unicode"
)

// printable takes out of a name or text what could command the terminal, or
// show it in another order than it has: control characters, line ends among
// them, and those that change the direction of writing.
func printable(text string) string { return strings.Map(harmless, text) }

// printableLines is printable for a text of several lines.
func printableLines(text string) string {
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
