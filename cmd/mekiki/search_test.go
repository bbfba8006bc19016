package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBadSearches are refused before a library or a model is looked for.
func TestBadSearches(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name      string
		arguments []string
		status    int
		want      string
	}{
		{"nothing", []string{"search", ""}, exitUsage, "nothing to search for"},
		{"no words", []string{"search"}, exitUsage, "needs QUERY"},
		{"10,000 words", []string{"search", strings.Repeat("word ", 10000)}, exitUsage, "10000 words"},
		{"quotes", []string{"search", `two "cats`}, exitUsage, "^"},
		{"control character", []string{"search", "a\x01b"}, exitUsage, "U+0001"},
		{"unknown filter", []string{"search", "cat foldr:x"}, exitUsage, "did you mean folder:?"},
		{"impossible date", []string{"search", "after:2023-02-30"}, exitUsage, "does not exist"},
		{"weight", []string{"search", "cat", "--weight", "much"}, exitUsage, "no number"},
		{"weight out of range", []string{"search", "cat", "--weight", "2"}, exitUsage, "not 0 to 1"},
		{"open", []string{"search", "cat", "--open=-1"}, exitUsage, "--open=-1"},
		{"thumbnails", []string{"search", "cat", "--thumbnails", "x"}, exitUsage, "auto, kitty"},
		{"no image", []string{"similar", file("note.txt", "hello")}, exitError, "note.txt"},
		{"empty image", []string{"similar", file("empty.jpg", "")}, exitError, "empty"},
		{"neither file nor record", []string{"similar", "nosuch.jpg"}, exitError, "neither a file nor the id"},
		{"crop", []string{"similar", "7", "--crop", "0,0,2,1"}, exitUsage, "outside the picture"},
		{"no labels file", []string{"lookup", "7", "--labels", filepath.Join(folder, "nosuch")}, exitError, "nosuch"},
		{"empty labels", []string{"lookup", "7", "--labels", file("labels.empty", "\n \r\n")}, exitUsage, "holds no labels"},
		{"labels without end", []string{"lookup", "7", "--labels", file("labels.large", strings.Repeat("a", maximumLabelBytes+1))}, exitUsage, "larger than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, out, errors := runForTest(t, append(test.arguments, "--library", filepath.Join(folder, "nosuch-library"))...)
			if status != test.status || !strings.Contains(errors, test.want) || out != "" {
				t.Errorf("status %d, out %q, errors %q; want %d and %q", status, out, errors, test.status, test.want)
			}
		})
	}
}

func TestReadLabels(t *testing.T) {
	a := &app{in: strings.NewReader("\ufeffday\r\n\n  night \nday\nlast")}
	got, err := a.readLabels("-")
	if diff := cmp.Diff([]string{"day", "night", "day", "last"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
