package page

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestViewsAreThoseOfThePage: the server knows the addresses that the page does.
func TestViewsAreThoseOfThePage(t *testing.T) {
	source, err := os.ReadFile("../../ui/page/src/address/state.ts")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`export const views = \[(.*)\] as const`).FindSubmatch(source)
	if declared == nil {
		t.Fatal("the page declares no views")
	}
	known := []string{""}
	for name := range strings.SplitSeq(string(declared[1]), ", ") {
		known = append(known, strings.Trim(name, `"`))
	}
	if !slices.Equal(known, views) {
		t.Errorf("the page has %q, the server %q", known, views)
	}
}
