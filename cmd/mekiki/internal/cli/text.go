package cli

import (
	"mekiki/internal/plural"
	"mekiki/internal/termtext"
)

// Printable takes out of a name or text what could command the terminal.
func Printable(text string) string { return termtext.Clean(text) }

// Counted writes a number with what it counts.
func Counted(number int, one, many string) string { return plural.Count(number, one, many) }
