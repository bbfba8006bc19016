package renditions

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"mekiki/index"
	"mekiki/internal/diskspace"
	"mekiki/internal/vfs"
)

// cache is the folder of files. Several processes may use it.
type cache struct {
	folder  string
	library string // above the folder; it is never made
	maximum int64
	disk    vfs.OS

	mutex sync.Mutex
	// used is what all files took when the folder was looked through last, and written
	// what was written since then; looked says that it was.
	used, written int64
	looked        bool
}

func (c *cache) path(hash index.Hash, suffix string) string {
	name := hash.String()
	return filepath.Join(c.folder, name[:2], name+"."+suffix)
}

// read gives a part of a file, and marks the file as used.
func (c *cache) read(hash index.Hash, suffix string, number int) ([]byte, error) {
	if c.folder == "" {
		return nil, fs.ErrNotExist
	}
	name := c.path(hash, suffix)
	file, stat, err := vfs.OpenRegular(name, false)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	part, err := readPart(file, stat.Size(), number)
	if now := time.Now(); err == nil && now.Sub(stat.ModTime()) > touchAfter {
		_ = os.Chtimes(name, now, now) // else it counts as used when it was before
	}
	return part, err
}

// errNotKept says that there is no room for a file, or no folder.
var errNotKept = errors.New("renditions are not kept")

// write keeps a file; what write gives is in it, whole or not at all.
func (c *cache) write(hash index.Hash, suffix string, write func(io.Writer) error) error {
	if c.folder == "" || c.maximum <= 0 {
		return errNotKept
	}
	name := c.path(hash, suffix)
	if err := vfs.MkdirBelow(c.disk, c.library, filepath.Dir(name)); err != nil {
		return errors.Join(errNotKept, err)
	}
	if free, err := diskspace.Free(c.folder); err == nil && free < leastFree {
		return errNotKept
	}
	if err := vfs.WriteAtomically(c.disk, name, rand.Int64(), write); err != nil {
		return err
	}
	if stat, err := os.Stat(name); err == nil {
		c.makeRoom(stat.Size())
	}
	return nil
}

// makeRoom counts what was written, and removes the files used longest ago where that is too much.
func (c *cache) makeRoom(written int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.written += written
	step := c.maximum / lookEvery
	if c.looked && c.written < step && c.used+c.written <= c.maximum {
		return
	}
	files := c.list()
	c.used, c.written, c.looked = 0, 0, true
	for _, file := range files {
		c.used += file.bytes
	}
	if c.used <= c.maximum-step {
		return
	}
	slices.SortFunc(files, func(a, b cached) int { return a.used.Compare(b.used) })
	for _, file := range files {
		if c.used <= c.maximum-2*step {
			return
		}
		if err := os.Remove(file.name); err == nil || errors.Is(err, fs.ErrNotExist) {
			c.used -= file.bytes
		}
	}
}

// cached is a file of the cache.
type cached struct {
	name  string
	bytes int64
	used  time.Time
}

// list gives the files, and removes what processes that ended early left.
func (c *cache) list() []cached {
	var files []cached
	// A folder that cannot be read holds nothing that could be removed.
	_ = filepath.WalkDir(c.folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		stat, err := entry.Info()
		if err != nil {
			return nil
		}
		_, _, ours := hashOf(entry.Name())
		switch {
		case ours:
			files = append(files, cached{name, stat.Size(), stat.ModTime()})
		case strings.HasSuffix(name, vfs.TemporarySuffix) && time.Since(stat.ModTime()) > temporaryAge:
			_ = os.Remove(name) // else the next look does
		}
		return nil
	})
	return files
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
