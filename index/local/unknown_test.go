package local

import (
	"encoding/binary"
	"errors"
	"path/filepath"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/index/local/journal"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// TestUnknownKindsAreRefused: a library with an operation that this version does not
// know is opened by nobody, in a log or in a checkpoint, and a reader that meets one
// stays where it is. Nothing is cut off or put aside.
func TestUnknownKindsAreRefused(t *testing.T) {
	unknown := binary.AppendUvarint(nil, 77)
	unknown = append(unknown, 2, 1, 0)
	t.Run("log", func(t *testing.T) {
		files := vfstest.NewMemory()
		writer := openMemory(t, files)
		fill(t, writer, 3)
		reader := openTest(t, "/library", Options{FileSystem: files, ReadOnly: true})
		before := reader.Snapshot()
		defer before.Close()
		indextest.Must(t, writer.catalog.Commit(before.Sequence()+1, unknown))
		if _, err := reader.Refresh(t.Context()); !errors.Is(err, index.ErrVersion) {
			t.Errorf("refresh: %v", err)
		}
		after := reader.Snapshot()
		defer after.Close()
		if after.Sequence() != before.Sequence() || after.Count(0) != 3 {
			t.Errorf("commit %d with %d records", after.Sequence(), after.Count(0))
		}
		indextest.Must(t, writer.Close())
		checkRefused(t, files)
	})
	t.Run("checkpoint", func(t *testing.T) {
		files := vfstest.NewMemory()
		indextest.Must(t, openMemory(t, files).Close())
		name := filepath.Join("/library", catalog.CheckpointName(2))
		header := journal.Header{Kind: journal.Checkpoint, Number: 2}
		file, err := journal.Create(files, name, header)
		indextest.Must(t, err)
		indextest.Must(t, file.Append(journal.Frame{Kind: journal.Data, Sequence: 1, Payload: unknown}))
		indextest.Must(t, file.Append(journal.Frame{Kind: journal.Seal, Sequence: 1}))
		indextest.Must(t, file.Close())
		checkRefused(t, files)
	})
}

func checkRefused(t *testing.T, files vfs.FS) {
	t.Helper()
	for _, readOnly := range []bool{false, true} {
		library, err := Open(t.Context(), "/library", Options{FileSystem: files, ReadOnly: readOnly})
		if !errors.Is(err, index.ErrVersion) {
			t.Errorf("for reading only %v: %v", readOnly, err)
		}
		if err == nil {
			indextest.Must(t, library.Close())
		}
	}
	if _, err := files.Stat(filepath.Join("/library", catalog.QuarantineFolder)); err == nil {
		t.Error("something was put aside")
	}
}
