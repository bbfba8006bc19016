// Package translate runs models that put a text into another language: a [Translator] for queries in languages that an
// image-text model does not read, and for captions in the reader's.
package translate
