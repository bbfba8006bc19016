package segment

import (
	"fmt"
	"path/filepath"
	"strings"

	"mekiki/index/local/block"
	"mekiki/internal/vfs"
)

// List lists the segments on disk.
func List(fsys vfs.FS, folder string) (map[Key]string, error) {
	files := map[Key]string{}
	spaces, err := fsys.ReadDir(filepath.Join(folder, "spaces"))
	if err != nil {
		return files, vfs.IgnoreMissing(err)
	}
	for _, space := range spaces {
		if !space.IsDir() {
			continue
		}
		entries, err := fsys.ReadDir(filepath.Join(folder, "spaces", space.Name()))
		if err != nil {
			return nil, fmt.Errorf("list segments: %w", err)
		}
		for _, entry := range entries {
			var key Key
			if key, ok := ParseKey(space.Name(), entry.Name(), key); ok {
				files[key] = key.Path()
			}
		}
	}
	return files, nil
}

// ParseKey reads the key of a segment from its folder and file name. key is where to
// begin.
func ParseKey(folder, name string, key Key) (Key, bool) {
	base, found := strings.CutSuffix(name, ".segment")
	if !found {
		return key, false
	}
	kind, digits, _ := strings.Cut(base, "-")
	if _, err := fmt.Sscanf(folder, "%d", &key.Space); err != nil {
		return key, false
	}
	if _, err := fmt.Sscanf(digits, "%d", &key.Number); err != nil {
		return key, false
	}
	for _, known := range []block.Kind{block.Vectors, block.Tokens} {
		if known.String() == kind {
			key.Kind = known
		}
	}
	return key, key.Kind != 0 && key.Path() == filepath.Join("spaces", folder, name)
}
