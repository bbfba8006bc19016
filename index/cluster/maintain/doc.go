// Package maintain looks after a library on a cluster: it fills the engine from the object
// store alone, compares the two, and brings a library of a disk in.
//
//	store   records in order of ID   1   2   3       5   6
//	engine  objects in order of ID   1       3   4   5'
//	                                     missing  extra  stale  missing
package maintain
