// Package evaluate measures how well searching works: with annotated pictures
// (Karpathy's layout of COCO and Flickr30k, LAVIS's lists, the built-in
// gallery), and without any annotation on a user's own library.
//
// Everything runs through package search as a user's query does, so that what
// is measured is what is shipped. Recalls are percentages with bootstrap
// confidence intervals; docs/evaluation.md explains each figure.
package evaluate
