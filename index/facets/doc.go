// Package facets counts the records of a list or of a search by what filters ask of them, so that
// somebody who looks for something sees which folders, dates, tags and cameras narrow it, and by how much.
//
//	records ─ Count ─► trees of values ─ Select (under, find, depth) ─► what is shown
//
// What is counted, the table of package filters says. Folders, tags and dates are trees: a record counts
// once for each level, however many of its values lie below.
package facets
