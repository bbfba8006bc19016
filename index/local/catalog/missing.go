package catalog

import (
	"fmt"

	"mekiki/index"
	"mekiki/index/local/segment"
	"mekiki/internal/hint"
	"mekiki/internal/plural"
	"mekiki/internal/vfs"
)

// missing is the error of a folder without a catalog: no library yet, or one
// that has lost it. What it still holds must not be taken for rubbish.
func missing(fsys vfs.FS, folder string) error {
	segments, err := segment.List(fsys, folder)
	if err != nil {
		return err
	}
	if len(segments) == 0 {
		return index.ErrNotLibrary
	}
	return hint.Wrap(fmt.Errorf("open library %s: %w: its folder %s is missing or empty, although %s there", folder, index.ErrDamaged, Folder, plural.Count(len(segments), "file of vectors is", "files of vectors are")),
		"put the folder "+Folder+" back, or restore a backup to another folder; to begin anew, delete the library")
}
