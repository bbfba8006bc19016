package main

import "mekiki/internal/termtext"

// printable takes out of a name or text what could command the terminal.
func printable(text string) string { return termtext.Clean(text) }
