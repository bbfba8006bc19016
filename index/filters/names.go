package filters

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/index"
	"mekiki/index/keyword"
)

// CameraNames is what camera filters look at.
type CameraNames struct{ Camera, lens string }

// CameraOf gives what camera filters look at of a record.
func CameraOf(r *index.Record) CameraNames { return CameraNames{r.Metadata.Camera, r.Metadata.Lens} }

// String gives both, or the one that there is.
func (n CameraNames) String() string {
	switch {
	case n.lens == "":
		return n.Camera
	case n.Camera == "":
		return n.lens
	}
	return n.Camera + " " + n.lens
}

// FoldersOf lists every folder that a file of the record is in or below, by
// path and by each beginning of a word of its name, in the form that folder
// filters compare.
func FoldersOf(r *index.Record) []string {
	var folders []string
	for _, file := range r.Files {
		for _, folder := range foldersOfFile(file) {
			folders = append(folders, foldersAbove(folder)...)
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders)
}

// foldersAbove lists a folder and those it is below, in the same form.
func foldersAbove(folder string) (folders []string) {
	for ; folder != "."; folder = filepath.Dir(folder) {
		folders = append(folders, foldFolder(folder))
		if base := filepath.Base(folder); base != folder && base != "." {
			folders = append(folders, keyword.Beginnings(base)...)
		}
		if parent := filepath.Dir(folder); parent == folder {
			break
		}
	}
	return folders
}

// foldFolder is the form in which folders are compared: with slashes, none at
// the end, and without case.
func foldFolder(folder string) string {
	folded := keyword.Fold(filepath.ToSlash(folder))
	for len(folded) > 1 && folded[len(folded)-1] == '/' {
		folded = folded[:len(folded)-1]
	}
	return folded
}

// isFolderName reports whether a folded folder is a name, or part of one, and not a path.
func isFolderName(folder string) bool { return !strings.Contains(folder, "/") }

// matchesFolderName reports whether one of foldersAbove is what is wanted.
func matchesFolderName(folder, wanted string) bool {
	if isFolderName(wanted) {
		return isFolderName(folder) && beginsName(folder, wanted)
	}
	return folder == wanted
}

// beginsName reports whether a name begins with what is wanted, both folded. A number
// is only found whole: "day 1" is not "day 12".
func beginsName(name, wanted string) bool {
	rest, begins := strings.CutPrefix(name, wanted)
	if !begins || rest == "" || wanted == "" {
		return begins
	}
	last, _ := utf8.DecodeLastRuneInString(wanted)
	next, _ := utf8.DecodeRuneInString(rest)
	switch {
	case !unicode.IsLetter(next) && !unicode.IsDigit(next) && !unicode.IsMark(next): // the word ends
		return true
	case unicode.IsDigit(last) && unicode.IsDigit(next):
		return false
	}
	return len(wanted) >= shortestBeginning
}

// LevelsOf lists what tag filters find a record by.
func LevelsOf(r *index.Record) []string {
	var levels []string
	for _, tag := range slices.Concat(r.Tags, r.Metadata.Keywords) {
		levels = append(levels, tagLevels(tag)...)
	}
	slices.Sort(levels)
	return slices.Compact(levels)
}

// tagLevels lists what a tag is found by: itself, each of its levels, and each path
// down to one of them; for "Places/Japan/Kyoto" these are "places/japan/kyoto",
// "places", "japan", "kyoto" and "places/japan".
func tagLevels(tag string) []string {
	whole := foldTag(tag)
	levels := []string{whole}
	parts := strings.Split(whole, "/")
	if len(parts) == 1 {
		return levels
	}
	for i, part := range parts {
		levels = append(levels, part, strings.Join(parts[:i+1], "/"))
	}
	return levels
}

// foldTag is the form in which tags are compared: without case and accents, the
// levels of a hierarchical one with slashes between them.
func foldTag(tag string) string {
	var levels []string
	for _, level := range strings.FieldsFunc(keyword.Fold(tag), func(r rune) bool { return r == '/' || r == '|' }) {
		if level = strings.TrimSpace(level); level != "" {
			levels = append(levels, level)
		}
	}
	if len(levels) == 0 {
		return keyword.Fold(tag)
	}
	return strings.Join(levels, "/")
}

// foldersOfFile lists the folders that a file is in: that of its path, and the
// one that it was put in when it was uploaded.
func foldersOfFile(f index.File) []string {
	folders := []string{filepath.Dir(f.Path)}
	if named := f.NamedFolder(); named != "" {
		folders = append(folders, named)
	}
	return folders
}
