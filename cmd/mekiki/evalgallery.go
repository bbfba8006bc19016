package main

import (
	"mekiki/embed/builtin"
	"mekiki/search/evaluate"
)

// gallerySource is the gallery inside the program.
func gallerySource() (evaluate.Source, error) { return readSource(builtin.Gallery()) }
