// Package vector finds the groups of unit vectors nearest to a query. A group is
// a record of the library: an image with its parts, or a text with its one
// vector. The similarity of a query with a group is ITC's (BLIP-2, arXiv
// 2301.12597, section 3.1): the largest of the dot products between any query
// vector and any vector of the group.
//
// An Index keeps the vectors as int8 codes with a scale each, to find groups by, and
// as float32, or not at all, to score them. Small, it scans all codes: the error of a
// code is bounded, so that only groups that may be among the nearest are scored, and
// the answer is that of a scan in float32, bit for bit. Large, it is an inverted file:
//
//	rows of a group         representatives           inverted lists
//	(32 parts of an image)  (1 to 4 means of rows)    (one for each centroid)
//
//	▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪   ──▶   ◆ ◆               ┌──▶  centroid 0 │ ◆ ◆ ◆ ◆ ◆ ◆
//	▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪   ──▶   ◆ ◆ ◆   ──▶ nearest ─▶  centroid 1 │ ◆ ◆ ◆ ◆
//	▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪   ──▶   ◆                 └──▶  centroid 2 │ ◆ ◆ ◆ ◆ ◆
//
//	query ─▶ centroids by distance ─▶ probe lists ─▶ best postings ─▶ codes ─▶ float32
//
// A posting (◆) is a representative's codes, scale and the location of its group. A
// search probes the lists of the centroids nearest to the query until more would be of
// little use, scores the groups of the best postings by all their codes and those that
// may be among the nearest exactly, and so may miss some: docs/vectors.md has the
// figures, defaults.go what they depend on.
//
// The inverted file is that of Jegou, Douze and Schmid (Product Quantization for
// Nearest Neighbor Search, 2011), with groups in place of vectors and scalar in place
// of product quantization. Its centroids come from bisecting k-means (Lloyd, Least
// Squares Quantization in PCM, 1982; Steinbach, Karypis and Kumar, 2000); a list that
// grew too long is split the same way. Graphs of small worlds (HNSW: Malkov and
// Yashunin, arXiv 1603.09320) were measured and not taken, see
// docs/decisions/0001-vector-index.md.
//
// Kernels in assembly compute the dot products of codes. Sums of integers are exact,
// so every processor gives the same results, bit for bit.
package vector
