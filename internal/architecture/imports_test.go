package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "mekiki"

// layers lists the packages from the top down. A package may import those of
// lower layers and, within its own layer, nothing but its own subpackages.
var layers = []string{
	"deploy",
	"cmd/mekiki",
	"server",
	"ui",
	"search",
	"search/lookup",
	"search/locate",
	"search/embeddings",
	"search/highlights",
	"search/reasons",
	"search/unread",
	"search/cursor",
	"search/spelling",
	"search/shownfile",
	"search/inputs",
	"search/duplicates",
	"search/contract",
	"search/query",
	"search/scoring",
	"search/translation",
	"search/words",
	"search/ask",
	"search/vqa",
	"search/captionscore",
	"search/likeness",
	"index/xmp",
	"index/bring",
	"index/ingest",
	"index/ingest/captioning",
	"index/ingest/prepared",
	"index/ingest/reading",
	"index/ingest/textrecord",
	"index/ingest/rules",
	"index/ingest/drives",
	"index/ingest/report",
	"index/originals",
	"index/cluster",
	"index/local",
	"index/export",
	"index/cluster/objects",
	"index/cluster/settings",
	"index/renditions",
	"index/local/maintain",
	"index/local/nearest",
	"index/local/keywords",
	"index/local/columns",
	"index/local/thumbnail",
	"index/local/catalog",
	"index/local/segment",
	"index/local/journal",
	"index/local/block",
	"index/local/frame",
	"index/local/writerlock",
	"index/conformance",
	"index/excerpt",
	"index/limits",
	"index/facets",
	"index/filters",
	"index/content",
	"index/indextest",
	"index/pictures",
	"index/keyword",
	"index/vector",
	"index/metadata",
	"index",
	"embed/bench",
	"embed/models",
	"embed/translate",
	"embed/ocr",
	"embed/marian",
	"embed/blip2",
	"embed/language",
	"embed/answering",
	"embed",
	"embed/lm",
	"embed/runner",
	"embed/priority",
	"embed/decode",
	"embed/quantize",
	"embed/manifest",
	"embed/ort",
	"embed/fused",
	"embed/onnx",
	"embed/checkpoint",
	"embed/modelconfig",
	"embed/tokenize/language",
	"embed/tokenize",
	"embed/pixels",
	"embed/pixels/container",
	"embed/pixels/jpegfix",
	"embed/pixels/resample",
	"embed/hub",
	"embed/builtin",
	"internal",
}

// owners names, for each dependency that one package keeps to itself, that package.
var owners = map[string]string{
	"github.com/yalue/onnxruntime_go":        "embed/ort",
	"github.com/coder/hnsw":                  "index/vector/coder",
	"github.com/blevesearch/bleve/v2":        "index/keyword",
	"github.com/labstack/echo/v4":            "server",
	"github.com/spf13/cobra":                 "cmd/mekiki",
	"github.com/charmbracelet/x/ansi":        "internal/terminalimage",
	"github.com/tetratelabs/wazero":          "embed/pixels/sandbox",
	"github.com/andybalholm/brotli":          "index/metadata",
	"github.com/beevik/etree":                "index/xmp/rdf",
	"github.com/ncruces/go-sqlite3":          "index/bring/sqlitefile",
	"go.yaml.in/yaml/v3":                     "index/bring/photoprism",
	"github.com/minio/minio-go/v7":           "index/cluster/objects",
	"github.com/aaaton/golem/v4":             "search/vqa",
	"github.com/johannesboyne/gofakes3":      "internal/clustertest/storetest",
	"github.com/modelcontextprotocol/go-sdk": "server",
}

// stdembedders are the packages that may import the standard library's embed.
var stdembedders = []string{"ui", "server", "server/page", "embed/builtin", "embed/tokenize/wordpiece", "embed/pixels/heif", "embed/pixels/avif", "embed/pixels/jxl", "index/cluster/settings"}

type sourceFile struct {
	folder string // slash-separated, relative to the module
	name   string
	test   bool
	syntax *ast.File
}

func sources(t *testing.T) []sourceFile {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var files []sourceFile
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "train") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		files = append(files, sourceFile{filepath.ToSlash(folder), name, strings.HasSuffix(name, "_test.go"), syntax})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("only %d source files found below %s", len(files), root)
	}
	return files
}

func (f sourceFile) imports(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, spec := range f.syntax.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// layer returns the index of the longest layer that holds folder, or -1.
func layer(folder string) int {
	best := -1
	for i, prefix := range layers {
		if within(folder, prefix) && (best < 0 || len(prefix) > len(layers[best])) {
			best = i
		}
	}
	return best
}

func within(folder, prefix string) bool {
	return folder == prefix || strings.HasPrefix(folder, prefix+"/")
}

func TestImportsPointDown(t *testing.T) {
	for _, file := range sources(t) {
		from := layer(file.folder)
		if from < 0 {
			if file.folder != "examples" && !strings.HasPrefix(file.folder, "examples/") {
				t.Errorf("%s/%s is in no layer: place it in the list", file.folder, file.name)
			}
			continue
		}
		for _, path := range file.imports(t) {
			target, ours := strings.CutPrefix(path, module+"/")
			if !ours || file.test {
				continue
			}
			to := layer(target)
			switch {
			case to < 0:
				t.Errorf("%s/%s imports %s, which is in no layer", file.folder, file.name, path)
			case to < from:
				t.Errorf("%s/%s imports %s: imports point down the list only", file.folder, file.name, path)
			}
		}
	}
}

func TestDependenciesHaveOneOwner(t *testing.T) {
	used := map[string]bool{}
	for _, file := range sources(t) {
		for _, path := range file.imports(t) {
			for dependency, owner := range owners {
				if !within(path, dependency) {
					continue
				}
				used[dependency] = true
				if !within(file.folder, owner) && !(file.test && file.folder == "deploy") { // whose tests read what others wrote
					t.Errorf("%s/%s imports %s: only %s may", file.folder, file.name, path, owner)
				}
			}
			if path == "embed" && !slices.Contains(stdembedders, file.folder) && !file.test {
				t.Errorf("%s/%s imports the standard embed: only %v may", file.folder, file.name, stdembedders)
			}
		}
	}
	for dependency := range owners {
		if !used[dependency] {
			t.Errorf("nothing imports %s: is its name still right?", dependency)
		}
	}
}

func TestPackagesAreDescribed(t *testing.T) {
	described, packages := map[string]bool{}, map[string]string{}
	for _, file := range sources(t) {
		if file.test {
			continue
		}
		packages[file.folder] = file.syntax.Name.Name
		if file.syntax.Doc != nil {
			described[file.folder] = true
		}
	}
	for folder := range packages {
		if !described[folder] {
			t.Errorf("package %s has no package comment", folder)
		}
	}
}
