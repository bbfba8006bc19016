package main

import (
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
)

// TestRemoveByFolder holds that a folder is removed with what is below it and
// nothing beside it, and that one of which the library has nothing is an error.
func TestRemoveByFolder(t *testing.T) {
	folder := t.TempDir()
	libraryFolder := filepath.Join(folder, "library")
	library, err := local.Open(t.Context(), libraryFolder, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var batch index.Batch
	for _, path := range []string{"a/1.jpg", "a/b/2.jpg", "ab/3.jpg"} {
		batch.Failures = append(batch.Failures, index.Failure{File: index.File{Path: filepath.Join(folder, path)}, Reason: "damaged"})
	}
	if _, err := library.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if err := library.Close(); err != nil {
		t.Fatal(err)
	}
	status, _, errors := runForTest(t, "remove", "--library", libraryFolder, "--folder", filepath.Join(folder, "nowhere"))
	if status != cli.ExitError || !strings.Contains(errors, "nowhere") || !strings.Contains(errors, "mekiki export") {
		t.Errorf("status %d, errors %q", status, errors)
	}
	if status, _, errors := runForTest(t, "remove", "--library", libraryFolder, "--folder", filepath.Join(folder, "a")); status != cli.ExitOK {
		t.Fatalf("status %d, errors %q", status, errors)
	}
	_, out, _ := runForTest(t, "status", "--failed", "--library", libraryFolder)
	if strings.Contains(out, "1.jpg") || strings.Contains(out, "2.jpg") || !strings.Contains(out, "3.jpg") {
		t.Errorf("left: %s", out)
	}
}
