// Package duplicates groups images that are the same: the same bytes, the same picture by
// perceptual hash, or the same scene by the likeness of their vectors. Groups are built
// around their best image, so that likeness does not creep from one member to the next.
package duplicates
