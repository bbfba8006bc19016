package index

import (
	"cmp"
	"path"
	"path/filepath"
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
