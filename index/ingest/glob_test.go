package ingest

import (
	"path/filepath"
	"strings"
	"testing"

	"mekiki/index/ingest/rules"
	"mekiki/internal/hint"
)

func TestMatchGlob(t *testing.T) {
	tests := []struct {
		glob, name string
		want       bool
	}{
		{"*.jpg", "a/b/c.jpg", true},
		{"*.jpg", "a/b/c.png", false},
		{"drafts", "a/drafts", true},
		{"drafts/**", "drafts/a/b.jpg", true},
		{"drafts/**", "drafts", true},
		{"drafts/**", "other/drafts/a.jpg", false},
		{"**/drafts/*", "a/b/drafts/c.jpg", true},
		{"**/drafts/*", "drafts/c.jpg", true},
		{"a/**/b/**/c", "a/b/b/x/c", true},
		{"a/**/b/**/c", "a/x/c", false},
		{"**/a/*/c", "a/a/b/c", true},
		{"a/b", "a/b/c", false},
		{"a/b/c", "a/b", false},
		{"**", "a/b/c", true},
	}
	for _, test := range tests {
		if got := rules.MatchGlob(test.glob, test.name); got != test.want {
			t.Errorf("matchGlob(%q, %q) = %t", test.glob, test.name, got)
		}
	}
}

// TestGlobsAsShellsWriteThem: with folders completed, taken from the root, and with
// the negation of sets.
func TestGlobsAsShellsWriteThem(t *testing.T) {
	root := filepath.Join(t.TempDir(), "photos")
	tests := []struct {
		glob, relative string
		want           bool
	}{
		{"./drafts", "drafts", true},
		{"drafts/", "drafts", true},
		{"drafts/", "2009/drafts", true},
		{"/drafts", "drafts", true},
		{"/drafts", "2009/drafts", false},
		{"[!a]*", "b.jpg", true},
		{"[!a]*", "a.jpg", false},
		{filepath.Join(root, "drafts"), "drafts", true},
		{filepath.Join(root, "drafts") + "/", "drafts", true},
		{filepath.Join(root, "drafts"), "2009/drafts", false},
		{filepath.Join(root, "**", "*.jpg"), "2009/drafts/a.jpg", true},
	}
	for _, test := range tests {
		if got := rules.MatchAny([]string{rules.PlainGlob(test.glob)}, root, test.relative); got != test.want {
			t.Errorf("%q with %q: %t", test.glob, test.relative, got)
		}
	}
}

// TestGlobsWithBraces: what other programs' globs know is refused, not passed over.
func TestGlobsWithBraces(t *testing.T) {
	for glob, ok := range map[string]bool{
		"**/*.{arw,ARW}": false, "{a,b}": false, "{a}": true, "a,b": true, "}{,": true, "[{]a,b}": false, "?a,b?": true,
	} {
		for _, options := range []Options{{Exclude: []string{glob}}, {Include: []string{glob}}} {
			if err := options.Validate(); (err == nil) != ok || !ok && hint.Of(err) == "" {
				t.Errorf("%s: %v", glob, err)
			}
		}
	}
}

// TestMatchGlobOfManyStars would not end if every way of sharing the folders
// among the stars were tried.
func TestMatchGlobOfManyStars(t *testing.T) {
	glob := strings.Repeat("**/a/", 40) + "b"
	name := strings.TrimSuffix(strings.Repeat("a/", 80), "/")
	if rules.MatchGlob(glob, name) {
		t.Error("it matches")
	}
	if !rules.MatchGlob(glob, name+"/b") {
		t.Error("it does not match")
	}
}
