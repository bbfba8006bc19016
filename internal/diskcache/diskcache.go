// Package diskcache keeps files that can be made again in a folder that takes only so much:
// those used longest ago make room. Several processes may use the folder; a file is there
// whole or not at all. What is in it is for the caller to verify.
package diskcache

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"mekiki/internal/diskspace"
	"mekiki/internal/vfs"
)

// ErrNotKept says that there is no room for a file, or no folder.
var ErrNotKept = errors.New("not kept on disk")

// Folder is a folder of files. Its methods may be called from any goroutine.
type Folder struct {
	// Path is where it is, below Root, which is never made. With Path "", nothing is kept.
	Path, Root string
	// Maximum is what all files may take; what is being written comes on top, and so does a
	// sixteenth for each further process that uses the folder.
	Maximum int64
	// Ours says which files are of the cache, by their names without folders. No others are removed.
	Ours func(name string) bool

	disk  vfs.OS
	mutex sync.Mutex
	// used is what all files took when the folder was looked through last, and written
	// what was written since then; looked says that it was.
	used, written int64
	looked        bool
}

// File is where a file is: in a folder of the first two bytes of its name.
func (f *Folder) File(name string) string {
	return filepath.Join(f.Path, name[:min(2, len(name))], name)
}

// Open opens a file and marks it as used. The caller closes it.
func (f *Folder) Open(name string) (*os.File, fs.FileInfo, error) {
	if f.Path == "" {
		return nil, nil, fs.ErrNotExist
	}
	path := f.File(name)
	file, stat, err := vfs.OpenRegular(path, false)
	if err != nil {
		return nil, nil, err
	}
	if now := time.Now(); now.Sub(stat.ModTime()) > touchAfter {
		_ = os.Chtimes(path, now, now) // else it counts as used when it was before
	}
	return file, stat, nil
}

// Remove removes a file, which need not be there.
func (f *Folder) Remove(name string) error {
	if f.Path == "" {
		return nil
	}
	return vfs.IgnoreMissing(os.Remove(f.File(name)))
}

// Write keeps a file; what write gives is in it, whole or not at all. The error is
// [ErrNotKept] where nothing is kept.
func (f *Folder) Write(name string, write func(io.Writer) error) error {
	if f.Path == "" || f.Maximum <= 0 {
		return ErrNotKept
	}
	path := f.File(name)
	if err := vfs.MkdirBelow(f.disk, f.Root, filepath.Dir(path)); err != nil {
		return errors.Join(ErrNotKept, err)
	}
	if free, err := diskspace.Free(f.Path); err == nil && free < leastFree {
		return ErrNotKept
	}
	if err := vfs.WriteAtomically(f.disk, path, rand.Int64(), write); err != nil {
		return err
	}
	if stat, err := os.Stat(path); err == nil {
		f.makeRoom(stat.Size())
	}
	return nil
}

// makeRoom counts what was written, and removes the files used longest ago where that is too much.
func (f *Folder) makeRoom(written int64) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.written += written
	step := f.Maximum / lookEvery
	if f.looked && f.written < step && f.used+f.written <= f.Maximum {
		return
	}
	files := f.list()
	f.used, f.written, f.looked = 0, 0, true
	for _, file := range files {
		f.used += file.bytes
	}
	if f.used <= f.Maximum-step {
		return
	}
	slices.SortFunc(files, func(a, b kept) int { return a.used.Compare(b.used) })
	for _, file := range files {
		if f.used <= f.Maximum-2*step {
			return
		}
		if err := os.Remove(file.path); err == nil || errors.Is(err, fs.ErrNotExist) {
			f.used -= file.bytes
		}
	}
}

// kept is a file of the cache.
type kept struct {
	path  string
	bytes int64
	used  time.Time
}

// LastUsed says when the files were used last, by their names.
func (f *Folder) LastUsed() map[string]time.Time {
	used := map[string]time.Time{}
	for _, file := range f.list() {
		used[filepath.Base(file.path)] = file.used
	}
	return used
}

// list gives the files, and removes what processes that ended early left.
func (f *Folder) list() []kept {
	var files []kept
	// A folder that cannot be read holds nothing that could be removed.
	_ = filepath.WalkDir(f.Path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil
		}
		stat, err := entry.Info()
		if err != nil {
			return nil
		}
		switch {
		case f.Ours(entry.Name()):
			files = append(files, kept{path, stat.Size(), stat.ModTime()})
		case strings.HasSuffix(path, vfs.TemporarySuffix) && time.Since(stat.ModTime()) > temporaryAge:
			_ = os.Remove(path) // else the next look does
		}
		return nil
	})
	return files
}
