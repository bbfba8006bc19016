package architecture

import (
	"go/ast"
	"go/token"
	"path"
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
	"server/downloads":      "names the columns of tables as they are read elsewhere",
	"index/keyword":         "names the fields of its index as they are on disk",
	"index/local/thumbnail": "names the files of thumbnails as they are on disk",
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
