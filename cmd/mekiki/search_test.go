package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
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
		{"nothing", []string{"search", ""}, cli.ExitUsage, "nothing to search for"},
		{"no words", []string{"search"}, cli.ExitUsage, "needs QUERY"},
		{"10,000 words", []string{"search", strings.Repeat("word ", 10000)}, cli.ExitUsage, "10000 words"},
		{"quotes", []string{"search", `two "cats`}, cli.ExitUsage, "^"},
		{"control character", []string{"search", "a\x01b"}, cli.ExitUsage, "U+0001"},
		{"unknown filter", []string{"search", "cat foldr:x"}, cli.ExitUsage, "did you mean folder:?"},
		{"impossible date", []string{"search", "after:2023-02-30"}, cli.ExitUsage, "does not exist"},
		{"weight", []string{"search", "cat", "--weight", "much"}, cli.ExitUsage, "not a number"},
		{"weight out of range", []string{"search", "cat", "--weight", "2"}, cli.ExitUsage, "not 0 to 1"},
		{"open", []string{"search", "cat", "--open=-1"}, cli.ExitUsage, "--open=-1"},
		{"thumbnails", []string{"search", "cat", "--thumbnails", "x"}, cli.ExitUsage, "auto, kitty"},
		{"no image", []string{"similar", file("note.txt", "hello")}, cli.ExitError, "note.txt"},
		{"empty image", []string{"similar", file("empty.jpg", "")}, cli.ExitError, "empty"},
		{"neither file nor record", []string{"similar", "nosuch.jpg"}, cli.ExitError, "neither a file nor the id"},
		{"crop", []string{"similar", "7", "--crop", "0,0,2,1"}, cli.ExitUsage, "outside the picture"},
		{"no labels file", []string{"lookup", "7", "--labels", filepath.Join(folder, "nosuch")}, cli.ExitError, "nosuch"},
		{"empty labels", []string{"lookup", "7", "--labels", file("labels.empty", "\n \r\n")}, cli.ExitUsage, "holds no labels"},
		{"labels without end", []string{"lookup", "7", "--labels", file("labels.large", strings.Repeat("a", cli.MaximumLabelBytes+1))}, cli.ExitUsage, "larger than"},
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
