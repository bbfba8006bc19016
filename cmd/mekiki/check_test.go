package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/originals"
)

// TestCheckReadsUploads checks a library whose uploads are lost, damaged and left
// over.
func TestCheckReadsUploads(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library, err := local.Open(t.Context(), folder, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store := originals.New(originals.FolderOf(folder))
	keep := func(content string, record bool) string {
		t.Helper()
		hash := index.Hash(sha256.Sum256([]byte(content)))
		claim, err := store.Claim(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		defer claim.Release()
		path, err := claim.Keep([]byte(content), "jpeg")
		if err == nil && record {
			_, err = library.Write(t.Context(), index.Batch{Puts: []index.Put{{Record: index.Record{
				Kind: index.KindImage, Hash: hash, Files: []index.File{{Path: path}}, Bytes: int64(len(content)),
			}}}})
		}
		if err == nil {
			err = claim.Settle()
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	lost, damaged, unnamed := keep("lost", true), keep("damaged", true), keep("unnamed", false)
	keep("good", true)
	if err := library.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(status int, wanted ...string) {
		t.Helper()
		got, out, complaints := runForTest(t, append([]string{"check", "--library", folder}, wanted[0:1]...)...)
		if got != status {
			t.Errorf("status %d, want %d: %s %s", got, status, out, complaints)
		}
		for _, text := range wanted[1:] {
			if !strings.Contains(out+complaints, text) {
				t.Errorf("%q is not in: %s %s", text, out, complaints)
			}
		}
	}
	check(cli.ExitOK, "--quiet=false", "no record names this upload", "quarantine/uploads")
	if err := os.WriteFile(damaged, []byte("demagad"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	check(cli.ExitError, "--repair", "the original of record 1 is missing", "the original of record 2 is damaged", "2 originals of uploads", "upload the pictures again")
	if _, err := os.Stat(filepath.Join(originals.AsideOf(folder), filepath.Base(unnamed))); err != nil {
		t.Errorf("the upload that no record names: %v", err)
	}
}
