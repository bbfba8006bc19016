package models

// builtinSamples is how many of the gallery's drawings int8 is chosen by.
const builtinSamples = 8

// Bounds of what is read as samples.
const (
	maximumAnnotations = 16 << 20 // bytes
	maximumSample      = 32 << 20 // bytes of an image
	longestCaption     = 32       // tokens of a language model
)
