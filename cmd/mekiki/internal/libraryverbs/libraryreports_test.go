package libraryverbs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/ingest/report"
	"mekiki/index/local"
)

type full struct{ io.Writer }

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestReportsThatCannotBeWritten are errors, lest a script takes silence for success.
func TestReportsThatCannotBeWritten(t *testing.T) {
	library, err := local.Open(t.Context(), filepath.Join(t.TempDir(), "library"), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	for _, asJSON := range []bool{false, true} {
		app := &cli.App{Out: full{}, Stderr: io.Discard, AsJSON: asJSON}
		if err := printIndexed(app, library.Folder(), indexReport{Summary: report.Summary{Seen: 1}}); err == nil {
			t.Error("index: no error")
		}
		if err := printCheck(app, index.CheckReport{}); err == nil {
			t.Error("check: no error")
		}
	}
}

// TestIndexStateNamesNoFile: before the first file there is none to name.
func TestIndexStateNamesNoFile(t *testing.T) {
	if got := indexState("index", report.Progress{Unchanged: 1}).Detail; got != "" {
		t.Errorf("%q", got)
	}
	if got := indexState("index", report.Progress{Path: filepath.Join("a", "b.jpg")}).Detail; got != "b.jpg" {
		t.Errorf("%q", got)
	}
}

// TestIndexedText says in words what a run did.
func TestIndexedText(t *testing.T) {
	for want, summary := range map[string]report.Summary{
		"1 file: 0 new, 1 changed, 0 unchanged, 0 moved or copied, 0 gone, 0 failed\n": {Seen: 1, Changed: 1},
		"8 files: 1 new, 0 changed, 7 unchanged, 0 moved or copied, 0 gone, 0 failed\nthe metadata of 2 files was read again\n" +
			"1 file was taken out of the library, because a rule excludes it now\n" +
			"7 files of other kinds were skipped: 3 .psd, 2 .dng, 1 without an extension, 1 .avi\n": {
			Seen: 8, Added: 1, Unchanged: 5, Reread: 2, Excluded: 1,
			PassedOver: map[string]int{".dng": 2, ".psd": 3, "": 1, ".avi": 1},
		},
	} {
		if got := indexedText(summary); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := indexedText(report.Summary{PassedOver: map[string]int{".txt": 1}}); !strings.Contains(got, "1 file of another kind was skipped: 1 .txt\nNo pictures were found there") {
		t.Errorf("got %q", got)
	}
}

// TestExportIsWhole or as it was before.
func TestExportIsWhole(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "export.jsonl")
	write := func(text string, failure error) error {
		return writeExport(&cli.App{}, name, func(target io.Writer) error {
			_, _ = io.WriteString(target, text)
			return failure
		})
	}
	if err := write("before", nil); err != nil {
		t.Fatal(err)
	}
	err := write("half", errors.New("interrupted"))
	if after, readErr := os.ReadFile(name); err == nil || readErr != nil || string(after) != "before" {
		t.Errorf("%v; %s, %v", err, after, readErr)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
