package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local"
)

// TestRemap: paths below a folder get a new beginning, those of failures too; nothing
// else changes, and a mistyped name is noticed.
func TestRemap(t *testing.T) {
	folder, library := libraryOf(t, []string{"old/a.jpg", "other/a.jpg"}, []string{"old/deep/b.jpg"}, []string{"older/c.jpg"}, []string{"new/deep/b.jpg"})
	at := func(name string) string { return filepath.Join(folder, name) }
	for _, name := range []string{"new/a.jpg", "new/deep/b.jpg"} {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	remap := func(arguments ...string) (int, string, string) {
		return runForTest(t, append([]string{"remap", "--library", library}, arguments...)...)
	}
	if status, out, errors := remap(at("old"), at("new"), "--dry-run"); status != cli.ExitOK || !strings.HasPrefix(out, "would rewrite 1 path of 1 record\n1 path was skipped") {
		t.Errorf("status %d, %q, %q", status, out, errors)
	}
	if status, _, errors := remap(at("old"), at("nwe")); status != cli.ExitError || !strings.Contains(errors, "none of the 2 files is in") {
		t.Errorf("status %d, %q", status, errors)
	}
	if status, _, errors := remap(at("nowhere"), at("new")); status != cli.ExitError || !strings.Contains(errors, "nowhere") {
		t.Errorf("status %d, %q", status, errors)
	}
	status, out, errors := remap(at("old"), at("new"), "--json")
	var done struct{ Records, Paths, Missing, Taken int }
	if err := json.Unmarshal([]byte(out), &done); err != nil || status != cli.ExitOK || done.Paths != 1 || done.Taken != 1 || done.Missing != 0 {
		t.Errorf("status %d, %q, %q", status, out, errors)
	}
	if status, out, errors := remap(folder, at("all"), "--force"); status != cli.ExitOK || !strings.Contains(out, "rewrote 5 paths of 4 records, and those of 1 file") || !strings.Contains(out, "5 of the new paths do not exist") {
		t.Errorf("status %d, %q, %q", status, out, errors)
	}
	opened, err := local.Open(t.Context(), library, local.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	snapshot := opened.Snapshot()
	defer snapshot.Close()
	var paths [][]string
	for record := range indextest.All(t, snapshot) {
		paths = append(paths, record.Paths())
	}
	want := [][]string{{at("all/new/a.jpg"), at("all/other/a.jpg")}, {at("all/old/deep/b.jpg")}, {at("all/older/c.jpg")}, {at("all/new/deep/b.jpg")}}
	if !slices.EqualFunc(paths, want, slices.Equal) {
		t.Errorf("paths %q, want %q", paths, want)
	}
	if _, failed := indextest.Failure(t, snapshot, at("all/bad.jpg")); !failed {
		t.Errorf("failures %+v", indextest.Failures(t, snapshot))
	}
}

// TestKeptTagsAreShownAndRemoved: status tells what is kept of pictures that were lost,
// and removing their folder is final.
func TestKeptTagsAreShownAndRemoved(t *testing.T) {
	folder, library := libraryOf(t, []string{"old/a.jpg"}, []string{"old/b.jpg"})
	opened, err := local.Open(t.Context(), library, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []index.Batch{
		{Tags: []index.TagChange{{ID: 1, Add: []string{"grandma"}}, {ID: 2, Add: []string{"x"}}}},
		{Detach: []string{filepath.Join(folder, "old/a.jpg")}},
	} {
		if _, err := opened.Write(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	show := func() string {
		_, out, _ := runForTest(t, "status", "--kept", "--library", library)
		return out
	}
	if out := show(); !strings.Contains(out, "tags of 1 picture without files, for 90 days") || !strings.Contains(out, "old/a.jpg: grandma (until ") {
		t.Errorf("status: %s", out)
	}
	status, out, errors := runForTest(t, "remove", "--library", library, "--folder", filepath.Join(folder, "old"))
	if status != cli.ExitOK || !strings.Contains(out, "removed 1 record and 2 paths") {
		t.Errorf("status %d, %q, %q", status, out, errors)
	}
	if out := show(); strings.Contains(out, "kept") {
		t.Errorf("status: %s", out)
	}
}
