package segment

import (
	"fmt"
	"path/filepath"
	"strings"

	"mekiki/index/local/block"
	"mekiki/internal/vfs"
)

// Folder holds the segments, in a folder for each space.
const Folder = "spaces"

// List lists the segments on disk.
func List(fsys vfs.FS, folder string) (map[Key]string, error) {
	files := map[Key]string{}
	spaces, err := fsys.ReadDir(filepath.Join(folder, Folder))
	if err != nil {
		return files, vfs.IgnoreMissing(err)
	}
	for _, space := range spaces {
		if !space.IsDir() {
			continue
		}
		entries, err := fsys.ReadDir(filepath.Join(folder, Folder, space.Name()))
		if err != nil {
			return nil, fmt.Errorf("list segments: %w", err)
		}
		for _, entry := range entries {
			if key, ok := ParseKey(space.Name(), entry.Name()); ok {
				files[key] = key.Path()
			}
		}
	}
	return files, nil
}

// ParseKey reads the key of a segment from its folder and file name.
func ParseKey(folder, name string) (key Key, ok bool) {
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
	return key, key.Kind != 0 && key.Path() == filepath.Join(Folder, folder, name)
}
