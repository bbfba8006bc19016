package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A paper is a Markdown page of the repository, by its slash-separated path.
type paper struct{ path, text string }

// papers reads the pages that make promises and give commands. The changelog is not among them: it tells of what was.
func papers(t *testing.T) []paper {
	t.Helper()
	var found []paper
	read := func(path string) {
		data, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, paper{filepath.ToSlash(path), string(data)})
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"} {
		read(name)
	}
	err := filepath.WalkDir("../../docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			relative, _ := filepath.Rel("../..", path)
			read(relative)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// testNames returns the names of the tests, benchmarks and fuzz targets of each folder.
func testNames(t *testing.T) map[string][]string {
	t.Helper()
	names := map[string][]string{}
	for _, file := range sources(t) {
		if !file.test {
			continue
		}
		path := filepath.Join("../..", filepath.FromSlash(file.folder), file.name)
		syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range syntax.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil && testName.MatchString(function.Name.Name) {
				names[file.folder] = append(names[file.folder], function.Name.Name)
			}
		}
	}
	return names
}

var (
	testName   = regexp.MustCompile(`^(Test|Benchmark|Fuzz)[A-Z]\w*$`)
	codeSpan   = regexp.MustCompile("`([^`]+)`")
	selection  = regexp.MustCompile(`-(run|bench|fuzz)[ =]('[^']+'|"[^"]+"|\S+)`)
	packageArg = regexp.MustCompile(`(?:^| )\./([\w./]+)`)
)

// spans returns the code of a page: each line of its blocks, with continued lines joined, and each span of its sentences.
func spans(text string) []string {
	var found []string
	for i, part := range strings.Split(text, "```") {
		if i%2 == 1 {
			found = append(found, strings.Split(strings.ReplaceAll(part, "\\\n", " "), "\n")...)
			continue
		}
		for _, line := range strings.Split(part, "\n") {
			if strings.HasPrefix(line, "    ") {
				found = append(found, line)
			}
		}
		for _, match := range codeSpan.FindAllStringSubmatch(part, -1) {
			found = append(found, strings.Join(strings.Fields(match[1]), " "))
		}
	}
	return found
}

// TestCommandsOfPapersExist asks that every `go test` that a page names runs something: its packages are there, and each
// of its patterns fits a test of theirs. Names of tests that stand by themselves must exist too.
func TestCommandsOfPapersExist(t *testing.T) {
	names := testNames(t)
	var all []string
	for _, of := range names {
		all = append(all, of...)
	}
	for _, page := range papers(t) {
		for _, code := range spans(page.text) {
			if testName.MatchString(code) && !slices.Contains(all, code) {
				t.Errorf("%s: there is no %s", page.path, code)
			}
			_, command, ok := strings.Cut(code, "go test")
			if !ok {
				continue
			}
			command, _, _ = strings.Cut(command, " # ")
			command, _, _ = strings.Cut(command, " | ")
			for _, problem := range checkCommand(command, names) {
				t.Errorf("%s: go test%s: %s", page.path, command, problem)
			}
		}
	}
}

// checkCommand says what keeps a `go test` with these arguments from running what it names.
func checkCommand(arguments string, names map[string][]string) (problems []string) {
	var candidates []string
	for _, match := range packageArg.FindAllStringSubmatch(arguments, -1) {
		folder, below := strings.CutSuffix(match[1], "...")
		folder = strings.TrimSuffix(folder, "/")
		if info, err := os.Stat(filepath.Join("../..", filepath.FromSlash(folder))); err != nil || !info.IsDir() {
			problems = append(problems, "there is no folder "+folder)
		}
		for of, tests := range names {
			if of == folder || below && (folder == "" || within(of, folder)) {
				candidates = append(candidates, tests...)
			}
		}
	}
	for _, match := range selection.FindAllStringSubmatch(arguments, -1) {
		pattern := strings.Trim(match[2], `'"`)
		if slices.Contains([]string{"none", "xx", "xxx", "XX", "NONE", "NAME", "X"}, pattern) {
			continue
		}
		prefix := map[string]string{"run": "Test|Fuzz", "bench": "Benchmark", "fuzz": "Fuzz"}[match[1]]
		for _, alternative := range strings.Split(pattern, "|") {
			alternative, _, _ = strings.Cut(alternative, "/")
			wanted, err := regexp.Compile(alternative)
			if err != nil {
				problems = append(problems, err.Error())
				continue
			}
			kind := regexp.MustCompile("^(" + prefix + ")")
			fits := func(name string) bool { return kind.MatchString(name) && wanted.MatchString(name) }
			if slices.ContainsFunc(candidates, fits) {
				continue
			}
			problem := "nothing there is called " + alternative
			for of, tests := range names {
				if slices.ContainsFunc(tests, fits) {
					problem += ", but in ./" + of
				}
			}
			problems = append(problems, problem)
		}
	}
	return problems
}

func TestMistakenCommandsAreNoticed(t *testing.T) {
	names := map[string][]string{"index": {"TestScale", "FuzzLog"}, "index/local": {"BenchmarkColumns"}}
	for command, problems := range map[string]int{
		" -run TestScale ./index":               0,
		" -run 'Scale|Log' -v ./index/...":      0,
		" -run none -bench Columns ./index":     1,
		" -run none -bench Columns ./index/...": 0,
		" -run Gone ./index":                    1,
		" -run TestScale ./nowhere":             2,
	} {
		if got := checkCommand(command, names); len(got) != problems {
			t.Errorf("go test%s: %q, want %d problems", command, got, problems)
		}
	}
}

var environment = regexp.MustCompile(`MEKIKI_[A-Z_]+`)

// TestVariablesOfPapersExist asks that every environment variable that a page names is read by some source.
func TestVariablesOfPapersExist(t *testing.T) {
	known := map[string]bool{}
	read := func(path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range environment.FindAllString(string(data), -1) {
			known[name] = true
		}
	}
	for _, file := range sources(t) {
		read(filepath.Join("../..", filepath.FromSlash(file.folder), file.name))
	}
	for _, page := range papers(t) {
		for _, name := range environment.FindAllString(page.text, -1) {
			if !known[name] {
				t.Errorf("%s: nothing reads %s", page.path, name)
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the addresses of a page's headings, as GitHub makes them.
func anchors(text string) []string {
	var found []string
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		found = append(found, strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return found
}

// TestLinksOfPapersLead asks that every relative link of a page leads to a file, and to a heading in it where it names one.
func TestLinksOfPapersLead(t *testing.T) {
	for _, page := range papers(t) {
		for _, match := range link.FindAllStringSubmatch(page.text, -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			target, anchor, _ := strings.Cut(match[1], "#")
			path := filepath.Join("../..", filepath.FromSlash(page.path))
			if target != "" {
				path = filepath.Join(filepath.Dir(path), filepath.FromSlash(target))
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %s leads nowhere", page.path, match[1])
				continue
			}
			if anchor == "" || !strings.HasSuffix(path, ".md") {
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(anchors(string(data)), anchor) {
				t.Errorf("%s: there is no heading for %s", page.path, match[1])
			}
		}
	}
}

var (
	action = regexp.MustCompile(`uses: *(\S+)( *#.*)?`)
	pinned = regexp.MustCompile(`^[\w-]+/[\w/-]+@[0-9a-f]{40}$`)
)

// TestActionsArePinned asks that workflows name the actions of others by the hash of a commit, with its version beside it:
// a tag can be moved to other code, a hash cannot.
func TestActionsArePinned(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal("no workflows", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range action.FindAllStringSubmatch(string(data), -1) {
			if !pinned.MatchString(match[1]) || !strings.Contains(match[2], "# v") {
				t.Errorf("%s: %s is not pinned: want OWNER/NAME@HASH # vX.Y.Z", filepath.Base(file), match[1])
			}
		}
	}
}

var place = regexp.MustCompile("`([\\w./-]+/[\\w./-]+)`")

// TestPlacesExist asks that each place that the table of docs/architecture.md names is there.
func TestPlacesExist(t *testing.T) {
	data, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	places := 0
	for _, line := range strings.Split(string(data), "\n") {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		for _, match := range place.FindAllStringSubmatch(line, -1) {
			places++
			if _, err := os.Stat(filepath.Join("../..", filepath.FromSlash(match[1]))); err != nil {
				t.Errorf("there is no %s", match[1])
			}
		}
	}
	if places < 20 {
		t.Errorf("only %d places read", places)
	}
}

var (
	mapNode  = regexp.MustCompile(`(\w+)\["([\w/]+)<br/>`)
	mapArrow = regexp.MustCompile(`(?m)^  (\w+)(?:\[.*\])? --> ([\w &]+)$`)
)

// TestMapIsTrue asks of the drawing of packages in docs/architecture.md that each is there, and that each arrow is an import:
// by the package itself, by a test of its, or by one below it.
func TestMapIsTrue(t *testing.T) {
	data, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]string{}
	for _, match := range mapNode.FindAllStringSubmatch(string(data), -1) {
		folders[match[1]] = match[2]
		if _, err := os.Stat(filepath.Join("../..", match[2])); err != nil {
			t.Errorf("there is no package %s", match[2])
		}
	}
	imports := map[string][]string{}
	for _, file := range sources(t) {
		imports[file.folder] = append(imports[file.folder], file.imports(t)...)
	}
	drawn := func(from, to string) bool {
		for folder, paths := range imports {
			if within(folder, from) && slices.ContainsFunc(paths, func(path string) bool { return within(path, module+"/"+to) }) {
				return true
			}
		}
		return false
	}
	arrows := 0
	for _, match := range mapArrow.FindAllStringSubmatch(string(data), -1) {
		for _, target := range strings.Split(match[2], " & ") {
			from, to := folders[match[1]], folders[strings.TrimSpace(target)]
			if from == "" || to == "" {
				t.Errorf("%s --> %s: a node without a package", match[1], target)
			} else if !drawn(from, to) {
				t.Errorf("%s does not import %s", from, to)
			}
			arrows++
		}
	}
	if arrows < 20 {
		t.Errorf("only %d arrows read", arrows)
	}
}
