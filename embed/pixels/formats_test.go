package pixels

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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

// outsideTheTable are the endings and media types of the table that may stand
// elsewhere in what ships: of files that the program writes itself.
var outsideTheTable = map[string][]string{
	"index/local/thumbnail/thumbnail.go": {".jpg"},
}

// TestFormatsAreDeclaredOnceOnly looks through what ships for endings and media types
// of the table, and for lists of its names: three or more in one function or
// declaration.
func TestFormatsAreDeclaredOnceOnly(t *testing.T) {
	const most = 2
	for path, source := range shippedSources(t) {
		for _, declaration := range source.Decls {
			declared, named := formatsIn(declaration)
			for _, text := range declared {
				if !slices.Contains(outsideTheTable[path], text) {
					t.Errorf("%s declares %q, which embed/pixels/formats.go declares", path, text)
				}
			}
			if len(named) > most {
				t.Errorf("%s lists formats that embed/pixels/formats.go lists: %v", path, named)
			}
		}
	}
}

func TestASecondDeclarationIsFound(t *testing.T) {
	const text = `package p
import _ "image/png"
var a, b, c, d, e = ".AVIF", "image/jxl", "avif", "gif", ".avif is what it ends in"`
	source, err := parser.ParseFile(token.NewFileSet(), "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	if declared, named := formatsIn(source.Decls[0]); len(declared)+len(named) > 0 {
		t.Errorf("an import is taken for a declaration: %v, %v", declared, named)
	}
	declared, named := formatsIn(source.Decls[1])
	if want := []string{".AVIF", "image/jxl"}; !slices.Equal(declared, want) {
		t.Errorf("got %q, want %q", declared, want)
	}
	if want := []Format{AVIF, JXL, GIF}; !slices.Equal(named, want) {
		t.Errorf("got %q, want %q", named, want)
	}
}

// shippedSources parses the Go files that ship, but for this package's, by their paths
// from the root.
func shippedSources(t *testing.T) map[string]*ast.File {
	t.Helper()
	sources := map[string]*ast.File{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch name := entry.Name(); {
			case path == root:
			case strings.HasPrefix(name, "."), name == "testdata", name == "node_modules", name == "train", name == "testpictures", name == "conformance":
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
		relative, err := filepath.Rel(root, path)
		sources[filepath.ToSlash(relative)] = source
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

// formatsIn returns the strings of a declaration that are endings or media types of
// the table, and the formats that its strings are names of. Imports are none.
func formatsIn(declaration ast.Decl) (declared []string, named []Format) {
	if general, ok := declaration.(*ast.GenDecl); ok && general.Tok == token.IMPORT {
		return nil, nil
	}
	ast.Inspect(declaration, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			return true
		}
		if slices.ContainsFunc(kinds(), func(k kind) bool {
			return text == k.mediaType || slices.Contains(k.extensions, strings.ToLower(text))
		}) {
			declared = append(declared, text)
		}
		format, known := ParseFormat(strings.TrimPrefix(text, "image/"))
		if known && !slices.Contains(named, format) {
			named = append(named, format)
		}
		return true
	})
	return declared, named
}

var update = flag.Bool("update", false, "write the table's formats into the documents anew")

// listings are where documents list formats: what matches a pattern, which is there
// so many times, is made of the table.
var listings = []struct {
	file    string
	pattern string
	times   int
	text    func() string
}{
	{"server/openapi.json", `The image file; [^"]*\.`, 9, func() string { return "The image file; " + Titles("or") + "." }},
	{"docs/images.md", "A run looks for files that end in .*\\.\n", 1, func() string {
		var endings []string
		for _, k := range kinds() {
			endings = append(endings, k.extensions...)
		}
		last := len(endings) - 1
		return "A run looks for files that end in `" + strings.Join(endings[:last], "`, `") + "` or `" + endings[last] + "`.\n"
	}},
	{"docs/query-language.md", "\\| `type:` \\|[^|]*\\|", 1, func() string {
		var names []string
		for _, k := range kinds() {
			name := "`" + string(k.name) + "`"
			if len(k.aliases) > 0 {
				name += " (`" + strings.Join(k.aliases, "`, `") + "`)"
			}
			names = append(names, name)
		}
		return "| `type:` | " + strings.Join(names, ", ") + " |"
	}},
}

// TestDocumentsListTheFormatsOfTheTable. Write the lists anew with:
// go test ./embed/pixels -run Documents -update.
func TestDocumentsListTheFormatsOfTheTable(t *testing.T) {
	for _, listing := range listings {
		path := filepath.Join("..", "..", listing.file)
		document, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pattern := regexp.MustCompile(listing.pattern)
		if times := len(pattern.FindAll(document, -1)); times != listing.times {
			t.Fatalf("%s lists formats %d times, want %d", listing.file, times, listing.times)
		}
		written := pattern.ReplaceAllLiteral(document, []byte(listing.text()))
		if *update {
			if err := os.WriteFile(path, written, 0o644); err != nil {
				t.Fatal(err)
			}
		} else if !bytes.Equal(written, document) {
			t.Errorf("%s is stale; run: go test ./embed/pixels -run Documents -update", listing.file)
		}
	}
}

// TestTheManualSaysWhatIsReadOfEachFormat, which only a person can.
func TestTheManualSaysWhatIsReadOfEachFormat(t *testing.T) {
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
		"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp41": "a video",
		"\xff\x4f\xff\x51\x00":                         "JPEG 2000",
		"8BPS":                                         "Photoshop",
	} {
		if _, err := inspectFile([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
