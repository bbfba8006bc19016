// Package recall keeps in memory what a process has read of a library on a cluster, so that
// the next question reads only what is new to it.
//
//	engine   7 v1, 9 v3, 4 v2     which records, and as which version of them
//	memory   7 v1, 9 v2           what was read before
//	read     9, 4                 what is read now
//
// All of it is named by what it says: a record by a digest of its bytes, vectors by the name
// of their object, terms by record and change. So nothing of it can be out of date, but for
// counts, which have an age. Each kind takes a bounded number of bytes, and what was used
// longest ago makes room.
package recall
