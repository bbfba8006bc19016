package index

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// DisplayName is what people know the file by: the name it was uploaded under,
// or else its path.
func (f File) DisplayName() string { return cmp.Or(f.Name, f.Path) }

// NamedFolder is the folder that an uploaded file was put in, slash-separated
// and relative, or "".
func (f File) NamedFolder() string {
	if folder := path.Dir(f.Name); folder != "." {
		return folder
	}
	return ""
}

// Name is what the record's first uploaded file was called where it came from,
// with the folder it was put in, or "".
func (r *Record) Name() string {
	for _, file := range r.Files {
		if file.Name != "" {
			return file.Name
		}
	}
	return ""
}

// HigherFolders lists the names of the folders between the file's own and the one
// that was indexed, or that a file was uploaded into, the nearest first.
func (f File) HigherFolders() []string {
	below := f.Name
	if below == "" && f.RootLength > 0 && f.RootLength < len(f.Path) {
		below = strings.Trim(filepath.ToSlash(f.Path[f.RootLength:]), "/")
	}
	elements := strings.Split(below, "/")
	var folders []string
	for i := len(elements) - 3; i >= 0; i-- {
		folders = append(folders, elements[i])
	}
	return folders
}

// higherFolders lists those of all of a record's files.
func higherFolders(r *Record) []string {
	var folders []string
	for _, file := range r.Files {
		for _, folder := range file.HigherFolders() {
			if !slices.Contains(folders, folder) {
				folders = append(folders, folder)
			}
		}
	}
	return folders
}

// displayNames lists what people know the record's files by.
func displayNames(r *Record) []string {
	names := make([]string, len(r.Files))
	for i, file := range r.Files {
		names[i] = file.DisplayName()
	}
	return names
}

// foldersOfFile lists the folders that a file is in: that of its path, and the
// one that it was put in when it was uploaded.
func foldersOfFile(f File) []string {
	folders := []string{parentOf(f.Path)}
	if named := f.NamedFolder(); named != "" {
		folders = append(folders, named)
	}
	return folders
}
