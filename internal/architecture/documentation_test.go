package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportedSymbolsAreDocumented asks of every exported function, type,
// method of an exported type, constant and variable a comment that ends in a
// full stop or in a table. A comment on a group serves all its members, and one on the line of
// a constant or variable serves it as it is.
func TestExportedSymbolsAreDocumented(t *testing.T) {
	for _, file := range sources(t) {
		if file.test || file.syntax.Name.Name == "main" {
			continue
		}
		path := filepath.Join("../..", filepath.FromSlash(file.folder), file.name)
		positions := token.NewFileSet()
		syntax, err := parser.ParseFile(positions, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		complain := func(node ast.Node, name, what string) {
			t.Errorf("%s: %s %s", positions.Position(node.Pos()), name, what)
		}
		for _, declaration := range syntax.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				if declaration.Name.IsExported() && receiverIsExported(declaration) {
					checkComment(declaration, declaration.Name.Name, declaration.Doc, complain)
				}
			case *ast.GenDecl:
				checkGroup(declaration, complain)
			}
		}
	}
}

func checkGroup(group *ast.GenDecl, complain func(ast.Node, string, string)) {
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() {
				checkComment(spec, spec.Name.Name, firstComment(spec.Doc, group.Doc), complain)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if name.IsExported() {
					if comment := firstComment(spec.Doc, group.Doc); comment != nil || spec.Comment == nil {
						checkComment(spec, name.Name, comment, complain)
					}
				}
			}
		}
	}
}

func checkComment(node ast.Node, name string, comment *ast.CommentGroup, complain func(ast.Node, string, string)) {
	text := strings.TrimSpace(comment.Text())
	lines := strings.Split(text, "\n")
	switch {
	case strings.HasPrefix(lines[len(lines)-1], "\t"): // ends in a table
	case text == "":
		complain(node, name, "is exported and has no comment")
	case !strings.ContainsAny(text[len(text)-1:], ".:?!)`\"") && !strings.Contains(text, ".\n"):
		complain(node, name, "has a comment that does not end in a full stop")
	}
}

func firstComment(comments ...*ast.CommentGroup) *ast.CommentGroup {
	for _, comment := range comments {
		if comment != nil {
			return comment
		}
	}
	return nil
}

// receiverIsExported tells whether a method belongs to an exported type; it is
// true of functions.
func receiverIsExported(function *ast.FuncDecl) bool {
	if function.Recv == nil {
		return true
	}
	receiver := function.Recv.List[0].Type
	for {
		switch kind := receiver.(type) {
		case *ast.StarExpr:
			receiver = kind.X
		case *ast.IndexExpr:
			receiver = kind.X
		case *ast.IndexListExpr:
			receiver = kind.X
		case *ast.Ident:
			return kind.IsExported()
		default:
			return false
		}
	}
}
