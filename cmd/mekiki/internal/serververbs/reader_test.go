package serververbs

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"

	"mekiki/index"
	"mekiki/index/local"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/internal/vfs/vfstest"
)

// TestReaderBecomesWriter: a server that reads takes the place of a writer that is gone, and may write from then on, but not
// before what a crash left behind is settled.
func TestReaderBecomesWriter(t *testing.T) {
	ctx, folder := t.Context(), filepath.Join(t.TempDir(), "library")
	writer, err := local.Open(ctx, folder, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = local.Open(ctx, folder, local.Options{})
	reason := whyReadOnly(err)
	if !errors.Is(reason, index.ErrLocked) {
		t.Fatalf("a second writer: %v", err)
	}
	library, err := local.Open(ctx, folder, local.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	r := newReader(library, reason, slog.New(slog.DiscardHandler))
	settled := false
	r.promoted = func(context.Context) {
		settled = true
		if r.writable() == nil {
			t.Error("others may write already")
		}
	}
	if done, soon := r.promote(ctx); done || !soon || !errors.Is(r.writable(), index.ErrLocked) {
		t.Errorf("beside the writer: done %v, soon %v, %v", done, soon, r.writable())
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if done, _ := r.promote(ctx); !done || !settled || r.writable() != nil {
		t.Errorf("without the writer: done %v, settled %v, %v", done, settled, r.writable())
	}
	if _, err := library.Write(ctx, index.Batch{}); err != nil {
		t.Error(err)
	}
}

// TestReadOnlyPlace: a library on a file system that takes no writes is opened for reading, and looked at again rarely.
func TestReadOnlyPlace(t *testing.T) {
	ctx, files := t.Context(), &vfstest.Faulty{Base: vfstest.NewMemory()}
	made, err := local.Open(ctx, "/library", local.Options{FileSystem: files})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}
	readOnly := true
	files.Fail = func(_ int64, operation vfstest.Operation) error {
		switch operation.Verb {
		case "create", "openwrite", "write", "remove", "rename", "mkdir", "mkdirall", "lock", "truncate":
			if readOnly {
				return syscall.EROFS
			}
		}
		return nil
	}
	_, err = local.Open(ctx, "/library", local.Options{FileSystem: files})
	reason := whyReadOnly(err)
	if !errors.Is(reason, errReadOnlyPlace) || hint.Of(err) == "" {
		t.Fatalf("opened for writing: %v (%s)", err, hint.Of(err))
	}
	library, err := local.Open(ctx, "/library", local.Options{FileSystem: files, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	r := newReader(library, reason, slog.New(slog.DiscardHandler))
	r.promoted = func(context.Context) {}
	if done, soon := r.promote(ctx); done || soon || !errors.Is(r.writable(), errReadOnlyPlace) {
		t.Errorf("done %v, soon %v, %v", done, soon, r.writable())
	}
	readOnly = false
	if done, _ := r.promote(ctx); !done || r.writable() != nil {
		t.Errorf("when it can be written to again: done %v, %v", done, r.writable())
	}
	if whyReadOnly(index.ErrNotLibrary) != nil || whyReadOnly(nil) != nil {
		t.Error("no library is no reason to read")
	}
}

// TestFullDisk: a library whose disk is full is served for reading, and written to once there is room; one that could not be
// made says so, and not that there is none.
func TestFullDisk(t *testing.T) {
	ctx, full := t.Context(), true
	files := &vfstest.Faulty{Base: vfstest.NewMemory()}
	open := func(readOnly bool) (*local.Library, error) {
		return local.Open(ctx, "/library", local.Options{FileSystem: files, ReadOnly: readOnly})
	}
	fail := func(_ int64, operation vfstest.Operation) error {
		switch operation.Verb {
		case "create", "write", "mkdir", "mkdirall":
			if full {
				return syscall.ENOSPC
			}
		}
		return nil
	}
	warned := 0
	warn := func(_, _ error) { warned++ }
	files.Fail = fail
	if _, _, err := openServed(open, warn); !diskspace.IsFull(err) || errors.Is(err, index.ErrNotLibrary) {
		t.Errorf("a new library: %v", err)
	}
	full = false
	made, reads, err := openServed(open, warn)
	if err != nil || reads != nil {
		t.Fatal(err, reads)
	}
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}
	full = true
	library, reads, err := openServed(open, warn)
	if err != nil || !errors.Is(reads, errFullDisk) || warned != 2 {
		t.Fatalf("%v, %v, warned %d times", reads, err, warned)
	}
	defer library.Close()
	r := newReader(library, reads, slog.New(slog.DiscardHandler))
	r.promoted = func(context.Context) {}
	if done, _ := r.promote(ctx); done || !diskspace.IsFull(r.writable()) {
		t.Errorf("while it is full: %v, %v", done, r.writable())
	}
	full = false
	if done, _ := r.promote(ctx); !done || r.writable() != nil {
		t.Errorf("with room again: %v, %v", done, r.writable())
	}
}
