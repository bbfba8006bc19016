package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
)

// TestTrashVerb lists the trash, puts a record back and empties it; compact takes what has been there for long enough.
func TestTrashVerb(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	change := func(do func(library *local.Library) error) {
		t.Helper()
		library, err := local.Open(t.Context(), folder, local.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := do(library); err != nil {
			t.Fatal(err)
		}
		if err := library.Close(); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want string, arguments ...string) {
		t.Helper()
		status, out, errors := runForTest(t, append(arguments, "--library", folder)...)
		if status != cli.ExitOK || !strings.Contains(out, want) {
			t.Errorf("%v: status %d, %q, errors %q, want %q", arguments, status, out, errors, want)
		}
	}
	change(func(library *local.Library) error {
		var batch index.Batch
		for i := range 3 {
			path := filepath.Join(folder, "..", string(rune('a'+i))+".jpg")
			batch.Puts = append(batch.Puts, index.Put{Record: index.Record{Kind: index.KindImage, Hash: index.Hash{byte(i + 1)}, Files: []index.File{{Path: path}}}})
		}
		if _, err := library.Write(t.Context(), batch); err != nil {
			return err
		}
		return index.Trash(t.Context(), library, time.Now(), 1, 2)
	})
	run("a.jpg", "trash", "list")
	run("1 record put back", "trash", "restore", "1")
	run("0 records removed for good", "trash", "empty", "--expired")
	run("1 record removed for good", "trash", "empty")
	run("the trash is empty", "trash", "list")
	if status, _, errors := runForTest(t, "trash", "restore", "1", "--library", folder); status != cli.ExitError || !strings.Contains(errors, "trash") {
		t.Errorf("status %d, errors %q", status, errors)
	}
	change(func(library *local.Library) error {
		return index.Trash(t.Context(), library, time.Now().Add(-index.TrashedFor-time.Hour), 3)
	})
	run("before", "compact")
	run("the trash is empty", "trash", "list")
}
