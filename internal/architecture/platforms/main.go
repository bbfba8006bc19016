// Command platforms type-checks the module, with its tests, for platforms other than
// this one, from source: what compiling for each of them would find, but for assembly, in
// a tenth of the time.
//
//	go run ./internal/architecture/platforms [GOOS/GOARCH…]
//
// Without arguments it checks the platforms that releases are built for, and Linux without
// cgo. It runs the go command and uses no network beyond what that needs for modules.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

// platforms are those of the releases (.github/workflows/release.yml) that cannot be
// compiled with cgo here, and Linux without cgo.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64", "windows/arm64"}

func main() {
	root, err := os.Getwd()
	if err != nil {
		fail(err)
	}
	chosen := os.Args[1:]
	if len(chosen) == 0 {
		chosen = platforms
	}
	found := false
	for _, platform := range chosen {
		problems, err := check(root, platform)
		if err != nil {
			fail(fmt.Errorf("%s: %w", platform, err))
		}
		for _, problem := range problems {
			fmt.Fprintf(os.Stderr, "%s: %s\n", platform, problem)
			found = true
		}
		fmt.Println(platform, "checked")
	}
	if found {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(1)
}

// check returns what does not hold on a platform without cgo, each problem once.
func check(root, platform string) ([]string, error) {
	system, processor, ok := strings.Cut(platform, "/")
	if !ok {
		return nil, fmt.Errorf("not GOOS/GOARCH")
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedEmbedFiles,
		Dir:       root,
		Env:       append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+processor),
		Tests:     true,
		ParseFile: parse(root),
	}, "./...")
	if err != nil {
		return nil, err
	}
	var problems []string
	seen := map[string]bool{}
	packages.Visit(loaded, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			if text := e.Error(); inside(root, p) && !seen[text] {
				seen[text] = true
				problems = append(problems, text)
			}
		}
	})
	return problems, nil
}

// inside tells whether a package is one of this module's. Others' bodies are left out, and
// with them the uses of some of their imports.
func inside(root string, p *packages.Package) bool {
	return len(p.GoFiles) == 0 || strings.HasPrefix(p.GoFiles[0], root+string(filepath.Separator))
}

// parse parses files, and leaves the bodies of functions out of those of other modules.
func parse(root string) func(*token.FileSet, string, []byte) (*ast.File, error) {
	return func(set *token.FileSet, name string, text []byte) (*ast.File, error) {
		file, err := parser.ParseFile(set, name, text, parser.AllErrors|parser.SkipObjectResolution)
		if file == nil || strings.HasPrefix(name, root+string(filepath.Separator)) {
			return file, err
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				function.Body = nil
			}
		}
		return file, err
	}
}
