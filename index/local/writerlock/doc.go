// Package writerlock sees to it that one process at a time writes to a library, and tells
// which.
package writerlock
