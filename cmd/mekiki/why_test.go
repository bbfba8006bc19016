package main

import (
	"encoding/json"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/searchverbs"
	"mekiki/embed/builtin"
	"mekiki/search/evaluate/datasets"
)

// TestBadWhy are refused before a library or a model is looked for.
func TestBadWhy(t *testing.T) {
	for want, arguments := range map[string][]string{
		"no words to locate":            {"why", "7", "type:png"},
		"needs IMAGE|ID":                {"why", "7"},
		"neither a file nor the id":     {"why", "nosuch.jpg", "a cat"},
		"both write to standard output": {"why", "7", "a cat", "-o", "-", "--json"},
		"auto, kitty":                   {"why", "7", "a cat", "--thumbnails", "x"},
	} {
		status, out, errors := runForTest(t, append(arguments, "--library", filepath.Join(t.TempDir(), "nosuch"))...)
		if status == cli.ExitOK || !strings.Contains(errors, want) || out != "" {
			t.Errorf("%v: status %d, out %q, errors %q, want %q", arguments, status, out, errors, want)
		}
	}
}

// testDemoWhy looks for a thing of the gallery in its picture, once as a record of the demo's library and once as a file.
func testDemoWhy(t *testing.T, cache string, flags []string) {
	const name = "cat-phone-turtle-camel-0041.webp"
	if status, out, errors := runForTest(t, append(slices.Clone(flags), "--query", "a turtle", "--json")...); status != cli.ExitOK {
		t.Fatalf("status %d: %s%s", status, out, errors)
	}
	library, err := filepath.Glob(filepath.Join(cache, "demo", "library-*"))
	if err != nil || len(library) != 1 {
		t.Fatalf("libraries %v %v", library, err)
	}
	flags = append(slices.Clone(flags[1:]), "--library", library[0])
	located := func(arguments ...string) (found searchverbs.Located) {
		t.Helper()
		status, out, errors := runForTest(t, append(append([]string{"why"}, arguments...), append(flags, "--json")...)...)
		if status != cli.ExitOK {
			t.Fatalf("%v: status %d: %s%s", arguments, status, out, errors)
		}
		if err := json.Unmarshal([]byte(out), &found); err != nil {
			t.Fatal(err)
		}
		return found
	}
	status, out, errors := runForTest(t, append([]string{"search", "cat phone turtle camel 0041", "--paths0"}, flags...)...)
	path, _, _ := strings.Cut(out, "\x00")
	if status != cli.ExitOK || filepath.Base(path) != name {
		t.Fatalf("status %d: %q, %s", status, path, errors)
	}
	drawn := filepath.Join(t.TempDir(), "map.png")
	file := located(path, "a turtle", "--output", drawn)
	row, column, _ := file.Map().Peak()
	if !insideBox(t, name, "turtle", (column*2+1)*256/(2*file.Columns), (row*2+1)*256/(2*file.Rows)) || !strings.Contains(file.Where, "lower left") {
		t.Errorf("a turtle is %s, most at row %d, column %d", file.Where, row, column)
	}
	if file.Pixels == nil || file.Pixels.Right <= file.Pixels.Left || file.Pixels.Bottom > 256 {
		t.Errorf("region %+v of %+v", file.Pixels, file.Region)
	}
	picture, err := os.Open(drawn)
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	if decoded, err := png.Decode(picture); err != nil || decoded.Bounds().Dx() != 256 {
		t.Errorf("the drawing: %v", err)
	}
	exact := located(path, "a turtle", "--exact")
	if exact.Method != "occlusion" || !strings.Contains(exact.Where, "left") || exact.Runs < 100 {
		t.Errorf("by occlusion it is %s, after %d runs", exact.Where, exact.Runs)
	}
	status, out, errors = runForTest(t, append([]string{"search", "cat phone turtle camel 0041", "--json"}, flags...)...)
	var answer struct{ Hits []struct{ ID string } }
	if err := json.Unmarshal([]byte(out), &answer); err != nil || status != cli.ExitOK {
		t.Fatalf("status %d: %v, %s", status, err, errors)
	}
	record := located(answer.Hits[0].ID, "a turtle")
	if record.Where != file.Where || record.Hit == nil || record.Hit.Explanation == nil || record.Pixels == nil {
		t.Errorf("of the record it is %s with %+v", record.Where, record.Hit)
	}
}

// insideBox tells whether a pixel of a picture of the gallery lies in a box of a kind.
func insideBox(t *testing.T, name, kind string, x, y int) bool {
	t.Helper()
	content, err := fs.ReadFile(builtin.Gallery(), "truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var truth map[string]datasets.Truth
	if err := json.Unmarshal(content, &truth); err != nil {
		t.Fatal(err)
	}
	for _, thing := range truth[name].Things {
		for _, box := range thing.Boxes {
			if thing.Kind == kind && x >= box[0] && x < box[2] && y >= box[1] && y < box[3] {
				return true
			}
		}
	}
	return false
}
