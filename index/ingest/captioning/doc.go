// Package captioning writes captions of pictures, by the Q-Former's language head, by the language model of a second
// stage, or by both, and keeps those that image-text matching finds to describe a picture best.
package captioning
