// Package segment keeps the vectors and image tokens of records in append-only files,
// and reads them back, verified. Where a record's blocks are the catalog says, as an
// [Extent]; what a file looks like, package block.
package segment
