// Package vector finds the groups of unit vectors nearest to a query. A group is
// a record of the library: an image with its parts, or a text with its one
// vector. The similarity of a query with a group is ITC's (BLIP-2, arXiv
// 2301.12597, section 3.1): the largest of the dot products between any query
// vector and any vector of the group.
//
// Index keeps vectors as int8 codes with a scale each, for finding, and as given, or
// not at all, for scores. Kernels compute dot products of codes, equal to the bit on
// every processor; a bound on what the codes lose decides which groups need scoring,
// so that looking at all codes gives exactly the nearest. A large Index first looks
// for representatives of groups, merged from their vectors and kept in cells, and
// may miss some.
package vector
