// Package xmp writes what people gave pictures, and captions, into XMP files beside them, where other programs read it. It
// never writes to a picture.
//
//	record ─► Statements ─► Merge into the sidecar as it is ─► journal (the bytes before) ─► temporary file, sync, rename
//
// What Mekiki wrote is kept in the sidecar too, in a namespace of its own. So a value is of three sides: what was written
// last, what the sidecar says now, and what Mekiki says now; the side that has changed since wins. What others wrote is
// never removed, and a caption by a model never takes the place of a person's description.
package xmp
