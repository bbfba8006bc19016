package renditions

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/internal/diskcache"
	"mekiki/internal/vfs"
)

// cache is the folder of files. Several processes may use it.
type cache struct{ folder *diskcache.Folder }

// newCache gives the cache in a folder, below that of the library, which is never made.
func newCache(folder, library string, maximum int64) cache {
	return cache{&diskcache.Folder{Path: folder, Root: library, Maximum: maximum, Ours: func(name string) bool {
		_, _, ours := hashOf(name)
		return ours
	}}}
}

func nameOf(hash index.Hash, suffix string) string { return hash.String() + "." + suffix }

// read gives a part of a file, and marks the file as used.
func (c cache) read(hash index.Hash, suffix string, number int) ([]byte, error) {
	file, stat, err := c.folder.Open(nameOf(hash, suffix))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readPart(file, stat.Size(), number)
}

// write keeps a file; what write gives is in it, whole or not at all.
func (c cache) write(hash index.Hash, suffix string, write func(io.Writer) error) error {
	return c.folder.Write(nameOf(hash, suffix), write)
}

// LastUsed says when the contents that have renditions in a folder were looked at last, to the hour or so.
func LastUsed(folder string) map[index.Hash]time.Time {
	used := map[index.Hash]time.Time{}
	for name, last := range newCache(folder, folder, 0).folder.LastUsed() {
		if hash, _, ours := hashOf(name); ours && last.After(used[hash]) {
			used[hash] = last
		}
	}
	return used
}

// hashOf reads the name of a file of the cache.
func hashOf(name string) (hash index.Hash, suffix string, ours bool) {
	digits, suffix, _ := strings.Cut(name, ".")
	if len(digits) != 2*len(hash) || !slices.Contains([]string{pictureSuffix, tilesSuffix}, suffix) {
		return hash, suffix, false
	}
	_, err := hex.Decode(hash[:], []byte(digits))
	return hash, suffix, err == nil
}

// Purge deletes the renditions of contents that are not to be kept from a folder. What
// cannot be deleted is left for the next time.
func Purge(ctx context.Context, fsys vfs.FS, folder string, logger *slog.Logger, keep func(index.Hash) bool) {
	folders, err := fsys.ReadDir(folder)
	if err != nil {
		return // there are none
	}
	for _, within := range folders {
		if ctx.Err() != nil || !within.IsDir() {
			continue
		}
		entries, err := fsys.ReadDir(filepath.Join(folder, within.Name()))
		if err != nil {
			logger.Warn("list renditions", "error", err)
		}
		for _, entry := range entries {
			if hash, _, ours := hashOf(entry.Name()); ours && !keep(hash) {
				if err := fsys.Remove(filepath.Join(folder, within.Name(), entry.Name())); err != nil {
					logger.Warn("delete the rendition of a record that is gone", "error", err)
				}
			}
		}
	}
}

// FolderOf is the folder of renditions in the folder of what a library derives.
func FolderOf(derived string) string { return filepath.Join(derived, "renditions") }
