package ingest

import (
	"strings"
	"testing"
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
		if got := matchGlob(test.glob, test.name); got != test.want {
			t.Errorf("matchGlob(%q, %q) = %t", test.glob, test.name, got)
		}
	}
}

// TestMatchGlobOfManyStars would not end if every way of sharing the folders
// among the stars were tried.
func TestMatchGlobOfManyStars(t *testing.T) {
	glob := strings.Repeat("**/a/", 40) + "b"
	name := strings.TrimSuffix(strings.Repeat("a/", 80), "/")
	if matchGlob(glob, name) {
		t.Error("it matches")
	}
	if !matchGlob(glob, name+"/b") {
		t.Error("it does not match")
	}
}
