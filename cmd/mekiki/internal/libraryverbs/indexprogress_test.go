package libraryverbs

import (
	"fmt"
	"testing"
)

// TestNamesOf holds that the task of thousands of paths, as a shell makes of
// *.jpg, stays a few words.
func TestNamesOf(t *testing.T) {
	var many []string
	for i := range 1500 {
		many = append(many, fmt.Sprintf("holidays/%d.jpg", i))
	}
	tests := map[string][]string{
		"0.jpg":                               many[:1],
		"0.jpg, 1.jpg, 2.jpg":                 many[:3],
		"0.jpg, 1.jpg, 2.jpg and 1 more":      many[:4],
		"0.jpg, 1.jpg, 2.jpg and 1497 more":   many,
		"a night in the old town and 1 more":  {"/p/a night in the old town", "/p/and the morning after"},
		"the 21 pictures that we… and 1 more": {"the 21 pictures that were left over", "x, y and z"},
	}
	for want, paths := range tests {
		if got := namesOf(paths); got != want {
			t.Errorf("namesOf %d paths = %q, want %q", len(paths), got, want)
		}
	}
}
