package index

import (
	"cmp"
	"path"
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
