//go:build !builtin_assets

package main

import (
	"fmt"

	"mekiki/embed/models"
	"mekiki/search/evaluate"
)

// gallerySource reports that this build carries no gallery.
func gallerySource() (evaluate.Source, error) {
	return evaluate.Source{}, fmt.Errorf("%w: this build carries no gallery", models.ErrNotFound)
}
