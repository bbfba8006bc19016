package architecture

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mekiki/embed/pixels"
	"mekiki/index/filters"
)

// severalFilters is how many names of filters in one file are a list of them: one or
// two are words like others.
const severalFilters = 3

// ownNames are the packages that have names of their own for what filters and formats
// are called, and why.
var ownNames = map[string]string{
	"index/filters":         "has the table of filters",
	"embed/pixels":          "has the table of formats",
	"index/keyword":         "names the fields of its index as they are on disk",
	"index/local/thumbnail": "names the files of thumbnails as they are on disk",
	"server/downloads":      "names the columns of a table of records",
}

// TestDeclaredOnce: names of filters stand in index/filters alone, endings and media
// types of images in embed/pixels alone, and a policy number has one place.
func TestDeclaredOnce(t *testing.T) {
	files := slices.DeleteFunc(sources(t), func(file sourceFile) bool { return file.test })
	names := filters.Names()
	for _, file := range files {
		if ownNames[file.folder] != "" {
			continue
		}
		named := map[string]bool{}
		for _, text := range literals(file.syntax) {
			if slices.Contains(names, text) {
				named[text] = true
			}
			if strings.HasPrefix(text, ".") && pixels.HasImageName("x"+text) || isMediaType(text) {
				t.Errorf("%s/%s has %q: ask embed/pixels, which has the table of formats", file.folder, file.name, text)
			}
		}
		if len(named) >= severalFilters {
			t.Errorf("%s/%s has the filters %v: ask index/filters, which has their table", file.folder, file.name, named)
		}
	}
	defaults := map[string]string{}
	for _, file := range files {
		if file.name == "defaults.go" {
			for _, name := range constants(file.syntax) {
				defaults[path.Join(file.folder, name)] = name
			}
		}
	}
	for _, file := range files {
		for _, name := range constants(file.syntax) {
			for place, policy := range defaults {
				related := ast.IsExported(policy) || strings.HasPrefix(file.folder, path.Dir(place)+"/") || strings.HasPrefix(path.Dir(place), file.folder+"/")
				if file.name != "defaults.go" && related && strings.EqualFold(name, policy) {
					t.Errorf("%s/%s declares %s, which %s does too", file.folder, file.name, name, place)
				}
			}
		}
	}
}

// policy are the words of numbers that somebody chose and might choose otherwise: bounds, windows, batches, times.
var policy = regexp.MustCompile(`^(max|maximum|most|least|fewest|longest|largest|smallest|shortest|deepest|widest|farthest|few|many|min|minimum|default)([A-Z0-9]|$)` +
	`|^(Max|Maximum|Default|Longest|Largest|Smallest)[A-Z]` +
	`|^blockSize$|(?i:batch|window|budget|interval|timeout|wait|atonce|neighbours|examples|tolerance)$` +
	`|[a-z](Time|Pause|Attempts|Rounds|Samples|Beams|Candidates)$`)

// tags are the beginnings of names of what formats have numbers for.
var tags = regexp.MustCompile(`^(tag|iptc)[A-Z]`)

// TestPolicyNumbersStandInDefaults: a bound, a window, a batch or a time of a package stands in its defaults.go, where
// whoever looks for it looks first.
func TestPolicyNumbersStandInDefaults(t *testing.T) {
	for _, file := range sources(t) {
		if file.test || file.name == "defaults.go" || isConstrained(file.syntax) {
			continue
		}
		for _, name := range numbers(file.syntax) {
			if policy.MatchString(name) && !tags.MatchString(name) {
				t.Errorf("%s/%s has the number %s: it belongs into defaults.go", file.folder, file.name, name)
			}
		}
	}
}

// TestPolicyWords: what was once found outside of defaults.go, and what is a format's.
func TestPolicyWords(t *testing.T) {
	for name, want := range map[string]bool{
		"batch": true, "maximumLine": true, "mostContinuation": true, "blockSize": true, "vqaBatch": true, "captionExamples": true, "lookupWindow": true,
		"captionNeighbours": true, "longestWait": true, "serverTime": true, "HeaderSize": false, "masked": false, "tagOffsetTime": false, "iptcDigitalTime": false, "mostly": false,
	} {
		if got := policy.MatchString(name) && !tags.MatchString(name); got != want {
			t.Errorf("%s is policy: %v", name, got)
		}
	}
}

// isConstrained reports whether a file is compiled for some machines only.
func isConstrained(file *ast.File) bool {
	return slices.ContainsFunc(file.Comments, func(group *ast.CommentGroup) bool { return strings.HasPrefix(group.List[0].Text, "//go:build") })
}

// numbers are the names of a file's constants of the package that are numbers without a type: those with one are values of it,
// and those that are counted up with iota stand in an order.
func numbers(file *ast.File) (names []string) {
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			spec := spec.(*ast.ValueSpec)
			for i, value := range spec.Values {
				if spec.Type == nil && isNumber(value) {
					names = append(names, spec.Names[i].Name)
				}
			}
		}
	}
	return names
}

// isNumber reports whether an expression is written with a number and without iota.
func isNumber(expression ast.Expr) bool {
	number, counted := false, false
	ast.Inspect(expression, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.BasicLit:
			number = number || node.Kind == token.INT || node.Kind == token.FLOAT
		case *ast.Ident:
			counted = counted || node.Name == "iota"
		}
		return true
	})
	return number && !counted
}

func isMediaType(text string) bool {
	return slices.ContainsFunc(pixels.Formats(), func(format pixels.Format) bool { return format.MediaType() == text })
}

// literals are a file's texts, but for those of imports and of fields' tags.
func literals(file *ast.File) (texts []string) {
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec, *ast.StructType:
			return false
		case *ast.BasicLit:
			if text, err := strconv.Unquote(node.Value); err == nil && node.Kind == token.STRING {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}

// constants are the names of a file's constants of the package.
func constants(file *ast.File) (names []string) {
	for _, declaration := range file.Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if name.Name != "_" {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}
