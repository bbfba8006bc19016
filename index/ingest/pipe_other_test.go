//go:build !unix

package ingest

// makePipe is nil where files have no pipes among them.
var makePipe func(path string) error
