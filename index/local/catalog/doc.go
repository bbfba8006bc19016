// Package catalog keeps what a library knows: records, where their vectors are, failures
// and spaces. Its truth is an operation log with checkpoints, in memory it is an
// immutable [State] for each commit.
//
//	catalog/00000001.log         commits, one frame each
//	catalog/00000002.checkpoint  the state before log 2
//	catalog/00000002.log         the commits since
//
// [Load] reads the newest whole checkpoint and the logs that follow it. A [Transaction]
// makes the next state, and collects the operations that make it again when they are
// replayed; the [Writer] makes them durable.
package catalog
