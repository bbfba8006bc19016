// Package local is the library on disk: what it knows of every image and text,
// their vectors and image tokens, and how it gets them back after anything.
//
// There is one truth: the catalog (an operation log with checkpoints) and the
// segments it points into (append-only files of vectors and image tokens).
// The vector index, the keyword index and the thumbnails are derived: any of
// them may be deleted, and the next [Open] builds it again.
//
// One process writes at a time; the lock names its holder. Any number of
// processes read. All reading goes through a [Snapshot], which never changes
// and never waits for a writer.
package local
