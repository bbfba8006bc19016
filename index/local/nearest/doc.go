// Package nearest keeps the vector indexes of one space in memory and brings them from
// commit to commit, by what differs between the two states: from nothing when the space is
// first searched. It reads vectors from segments, saves what a large index takes long to
// build, and leaves out records whose vectors are damaged.
package nearest
