// Package vector finds the groups of unit vectors nearest to a query. A group is
// a record of the library: an image with its parts, or a text with its one
// vector. The similarity of a query with a group is ITC's (BLIP-2, arXiv
// 2301.12597, section 3.1): the largest of the dot products between any query
// vector and any vector of the group.
//
// An Index keeps the vectors as int8 codes with a scale each, to find groups by, and
// as float32, or not at all, to score them. Small, it scans all codes: the error of a
// code is bounded, so that only groups that may be among the nearest are scored, and
// the answer is that of a scan in float32, bit for bit. Large, it finds groups by
// representatives, and scores those exactly:
//
//	rows of a group         representatives           a graph of them (package hnsw),
//	(32 parts of an image)  (1 to 4 means of rows)    or a list for each centroid
//
//	▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪   ──▶   ◆ ◆                      ◆──◆──◆    centroid 0 │ ◆ ◆ ◆ ◆ ◆
//	▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪   ──▶   ◆ ◆ ◆         ──▶        │╲ │ ╱│    centroid 1 │ ◆ ◆ ◆
//
//	query ─▶ walk, or probe lists ─▶ representatives, the best first ─▶ codes ─▶ float32
//
// A group is scored by all its codes as soon as a representative of it is proposed, until
// none that is left is likely to be among the nearest. So a search may miss some:
// docs/vectors.md has the figures, defaults.go what they depend on.
//
// The graph is a hierarchical navigable small world (HNSW: Malkov and Yashunin, arXiv
// 1603.09320). The inverted file is that of Jegou, Douze and Schmid (Product Quantization
// for Nearest Neighbor Search, 2011), with groups in place of vectors and scalar in place
// of product quantization. docs/decisions/0001-vector-index.md says which is taken when.
//
// Kernels in assembly compute the dot products of codes. Sums of integers are exact,
// so every processor gives the same results, bit for bit.
package vector
