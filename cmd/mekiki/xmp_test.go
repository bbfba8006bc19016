package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/xmp"
)

// TestXMPVerb writes sidecars of what a filter finds, and takes that back.
func TestXMPVerb(t *testing.T) {
	folder, library := libraryOf(t, []string{"a.jpg"}, []string{"Little Italy/b.jpg"})
	for _, name := range []string{"a.jpg", "Little Italy/b.jpg"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	change(t, library, func(opened *local.Library) error { return index.Tag(t.Context(), opened, []index.ID{1, 2}, "family") })
	verb := func(want int, arguments ...string) (report xmp.Report) {
		t.Helper()
		status, out, errors := runForTest(t, append(append([]string{"xmp"}, arguments...), "--library", library, "--json")...)
		if status != want {
			t.Fatalf("%q: status %d, %s%s", arguments, status, out, errors)
		}
		if status != cli.ExitUsage && status != cli.ExitNothing {
			if err := json.Unmarshal([]byte(out), &report); err != nil {
				t.Fatal(err)
			}
		}
		return report
	}
	verb(cli.ExitNothing, "undo")
	verb(cli.ExitUsage, "write", "two cats")
	if report := verb(cli.ExitOK, "write", "--dry-run", "folder:Little Italy", "tag:family"); report.Written != 1 || report.Pictures != 1 || !strings.HasSuffix(report.Files[0].Sidecar, "b.jpg.xmp") {
		t.Errorf("%+v", report)
	}
	if report := verb(cli.ExitOK, "write", "--ratings"); report.Written != 0 || report.Unchanged != 2 {
		t.Errorf("%+v", report)
	}
	if err := os.WriteFile(filepath.Join(folder, "a.jpg.xmp"), []byte("<"), 0o644); err != nil {
		t.Fatal(err)
	}
	if report := verb(cli.ExitPartial, "write"); report.Written != 1 || report.Refused != 1 {
		t.Errorf("%+v", report)
	}
	verb(cli.ExitOK, "undo")
	if _, err := os.Stat(filepath.Join(folder, "Little Italy", "b.jpg.xmp")); !os.IsNotExist(err) {
		t.Error(err)
	}
	status, out, errors := runForTest(t, "xmp", "write", "--dry-run", "--library", library)
	if status != cli.ExitPartial || !strings.Contains(out, "+family") || !strings.Contains(out, "would write 1 sidecar") || !strings.Contains(out, "not well-formed") {
		t.Errorf("status %d, %s%s", status, out, errors)
	}
}

// change changes a library.
func change(t *testing.T, library string, do func(*local.Library) error) {
	t.Helper()
	opened, err := local.Open(t.Context(), library, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := do(opened); err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestXMPIsReadByIndexing: indexing reads what was written as metadata, and reads no picture with the model again; a server
// that has the library is no hindrance.
func TestXMPIsReadByIndexing(t *testing.T) {
	h := newHanded(t)
	if status, out, complaints := h.run("", "index", h.pictures); status != cli.ExitOK {
		t.Fatalf("status %d, %s%s", status, out, complaints)
	}
	change(t, h.library, func(opened *local.Library) error { return index.Tag(t.Context(), opened, []index.ID{1, 2}, "family") })
	h.serve()
	if status, out, complaints := h.run("", "xmp", "write"); status != cli.ExitOK || !strings.Contains(out, "wrote 2 sidecars; 1 unchanged") {
		t.Errorf("status %d, %s%s", status, out, complaints)
	}
	status, out, complaints := h.run("", "index", h.pictures, "--json")
	if status != cli.ExitOK || !strings.Contains(strings.ReplaceAll(out, " ", ""), `"reread":2`) || !strings.Contains(strings.ReplaceAll(out, " ", ""), `"unchanged":1`) {
		t.Errorf("status %d, %s%s", status, out, complaints)
	}
}
