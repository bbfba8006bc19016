package pixels

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestEveryRowOfTheTableIsWholeAndItsNamesAreItsOwn(t *testing.T) {
	seen := map[string]Format{}
	for _, k := range kinds() {
		if k.title == "" || k.mediaType == "" || len(k.extensions) == 0 || k.begins == nil || k.inspect == nil || k.decode == nil {
			t.Errorf("%s: something is left out", k.name)
		}
		for _, name := range slices.Concat([]string{string(k.name)}, k.aliases, k.extensions) {
			name = strings.TrimPrefix(name, ".")
			if name != strings.ToLower(name) {
				t.Errorf("%s: %q is not in lower case", k.name, name)
			}
			if other, taken := seen[name]; taken && other != k.name {
				t.Errorf("%q is %s and %s", name, other, k.name)
			}
			seen[name] = k.name
			if got, ok := ParseFormat("." + strings.ToUpper(name)); !ok || got != k.name {
				t.Errorf("%q is taken for %q", name, got)
			}
		}
		for _, extension := range k.extensions {
			if !HasImageName("A.B" + strings.ToUpper(extension)) {
				t.Errorf("%s is no name of an image", extension)
			}
		}
	}
	for _, name := range []string{"", ".", "jpeg2", "text"} {
		if got, ok := ParseFormat(name); ok {
			t.Errorf("%q is taken for %q", name, got)
		}
	}
	if HasImageName("jpg") || HasImageName("notes.txt") {
		t.Error("what has no ending of an image is taken for one")
	}
}

// TestFormatsAreListedOnceOnly looks for lists of formats elsewhere: three or more of
// the table's names or endings in one function or declaration of what ships.
func TestFormatsAreListedOnceOnly(t *testing.T) {
	const most = 2
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch name := entry.Name(); {
			case path == root:
			case strings.HasPrefix(name, "."), name == "testdata", name == "node_modules", name == "train", name == "testpictures":
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Dir(path) == filepath.Join(root, "embed", "pixels") {
			return nil
		}
		source, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, declaration := range source.Decls {
			if found := formatsNamedIn(declaration); len(found) > most {
				t.Errorf("%s lists formats that embed/pixels/formats.go lists: %v", path, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// formatsNamedIn returns the formats that the strings of a declaration are names of.
func formatsNamedIn(node ast.Node) []Format {
	var found []Format
	ast.Inspect(node, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			return true
		}
		format, known := ParseFormat(strings.TrimPrefix(text, "image/"))
		if known && !slices.Contains(found, format) {
			found = append(found, format)
		}
		return true
	})
	return found
}

func TestDocumentsNameTheFormatsOfTheTable(t *testing.T) {
	const wanted = 4
	document, err := os.ReadFile(filepath.Join("..", "..", "server", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(document), "The image file; "+Titles("or")+"."); got != wanted {
		t.Errorf("openapi.json names the formats of the table %d times, want %d: %s", got, wanted, Titles("or"))
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "images.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds() {
		if !strings.Contains(string(page), "\n| "+k.title+" |") {
			t.Errorf("docs/images.md has no row for %s", k.title)
		}
	}
}

func TestWhatIsNotReadIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"<!DOCTYPE HTML>":                              "a web page",
		"<!doctype html><title>":                       "a web page",
		"\x00\x00\x00\x14ftypavif\x00\x00\x00\x00avif": "AVIF",
		"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp41": "a video",
		"\xff\x0a\x00":                                 "JPEG XL",
		"8BPS":                                         "Photoshop",
	} {
		if _, err := Inspect([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
