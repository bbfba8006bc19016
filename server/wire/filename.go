package wire

import (
	"cmp"
	"path"
	"path/filepath"
	"strings"

	"mekiki/index"
)

// FileName is the file's name, without what a header or a file system trips over.
func FileName(record *index.Record) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, path.Base(filepath.ToSlash(cmp.Or(record.Name(), record.Path()))))
	if name == "." || name == "" {
		return record.ID.String()
	}
	return name
}
