// Package cluster is a library on several machines: the contract of package index on an
// object store and an engine.
//
//	              index.Library
//	                    │
//	    write           │           read
//	      ▼             │             ▼
//	object store ──► engine: proposes candidates by vectors, by words and by filters
//	(the truth:           │
//	 records, vectors,    ▼
//	 tokens, thumbnails)  exact scores from the stored vectors, in this package
//
// The object store has the truth. A record, its vectors, its image tokens and its thumbnail
// are objects of it, and are there before a write is acknowledged. The engine (Weaviate, see
// package engine) is derived: it can be emptied and filled again from the store alone.
//
// Any number of processes on any number of machines read and write at once. None of them
// has a state of its own but caches. A record changes by compare and swap of its object, so
// that no change of it is lost. Two processes that meet the same picture agree on its ID by
// an object that only one of them can make.
//
// What a library on one disk promises and this one does not is listed at [Promises], and in
// docs/cluster.md.
package cluster
