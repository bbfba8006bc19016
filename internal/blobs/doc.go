// Command blobs compares every file of the repository that is not text with where it is from.
//
//	scripts/verify-blobs              # fetches the sources that can be fetched
//	scripts/verify-blobs -offline     # compares with the recorded hashes only
//
// The table in table.go names each file, or folder of files, its source and its hash. A binary file that the table does
// not name, one that differs from its hash, and one that differs from its source are failures (exit status 1). What could
// not be compared with its source is said with the reason.
package main
