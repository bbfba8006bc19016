// Package content opens the files that hold a record's content, and makes sure that they
// do.
package content
