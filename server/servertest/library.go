// Package servertest opens libraries for the tests of the server and its packages: real ones, in memory.
//
// They cannot be used inside a bubble of testing/synctest: bleve hands the analysis of words to goroutines that it
// started when it was imported, and those may not answer on a channel of a bubble.
package servertest

import (
	"context"
	"errors"
	"testing"

	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/vfs"
)

// Open opens the library of a test, which is closed when the test ends. All libraries of the tests of server come from here.
func Open(t testing.TB, folder string, disk vfs.FS) *local.Library {
	t.Helper()
	library, err := local.Open(context.Background(), folder, local.Options{FileSystem: disk})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := library.Close(); err != nil && !errors.Is(err, index.ErrClosed) {
			t.Error(err)
		}
	})
	return library
}

// Put writes records without vectors in one commit.
func Put(t testing.TB, library *local.Library, records ...index.Record) []index.ID {
	t.Helper()
	var batch index.Batch
	for _, record := range records {
		batch.Puts = append(batch.Puts, index.Put{Record: record})
	}
	written, err := library.Write(context.Background(), batch)
	if err != nil {
		t.Fatal(err)
	}
	return written.IDs
}

// Reader reads the present state of a library.
func Reader(t testing.TB, library index.Library) index.Reader {
	t.Helper()
	reader, err := library.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return reader
}
