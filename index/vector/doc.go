// Package vector finds the groups of unit vectors nearest to a query. A group is
// a record of the library: an image with its parts, or a text with its one
// vector. The similarity of a query with a group is ITC's (BLIP-2, arXiv
// 2301.12597, section 3.1): the largest of the dot products between any query
// vector and any vector of the group.
//
// Vectors are kept as int8 codes with a scale each, for finding, and as given,
// rounded to half precision, for exact scores. A small index is scanned whole;
// above that a graph (see Graph) proposes groups, whose scores are then computed
// exactly.
package vector
