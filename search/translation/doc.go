// Package translation puts queries into the language that the image-text model reads: which language a text is in is told by
// its script, or by a small detector, and translators that are installed are opened when they are first needed.
package translation
