package ingest

import (
	"encoding/binary"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mekiki/index/metadata"
)

// beside is what a folder holds that may describe its pictures.
type beside struct {
	folder string
	names  []string
	finder *metadata.Finder
	used   map[string]bool
}

func besideOf(folder string, entries []fs.DirEntry) *beside {
	b := &beside{folder: folder, used: map[string]bool{}}
	for _, entry := range entries {
		if metadata.IsSidecarName(entry.Name()) && entry.Type().IsRegular() {
			b.names = append(b.names, entry.Name())
		}
	}
	b.finder = metadata.NewFinder(b.names)
	return b
}

// of gives the names that describe a picture.
func (b *beside) of(name string) []string {
	found := b.finder.Of(name)
	for _, each := range found {
		b.used[each] = true
	}
	return found
}

// sidecarsOf gives the stamp and the paths of the files that describe a picture; zero
// where there are none.
func (w *walker) sidecarsOf(path string) (stamp uint64, paths []string) {
	folder, name := filepath.Split(path)
	folder = filepath.Clean(folder)
	if w.beside == nil || w.beside.folder != folder {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return 0, nil
		}
		w.beside = besideOf(folder, entries)
	}
	names := w.beside.of(name)
	return stampOfSidecars(folder, names)
}

// stampOfSidecars gives a number for the names, sizes and times of files, and their
// paths. Files that are gone do not count.
func stampOfSidecars(folder string, names []string) (stamp uint64, paths []string) {
	sum := fnv.New64a()
	for _, name := range names {
		path := filepath.Join(folder, name)
		stat, err := os.Lstat(path)
		if err != nil || !stat.Mode().IsRegular() {
			continue
		}
		buffer := binary.LittleEndian.AppendUint64([]byte(name+"\x00"), uint64(stat.Size()))
		buffer = binary.LittleEndian.AppendUint64(buffer, uint64(stat.ModTime().UnixNano()))
		_, _ = sum.Write(buffer) // it never fails
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return 0, nil
	}
	return max(sum.Sum64(), 1), paths
}

// passOver counts what describes no picture.
func (b *beside) passOver(w *walker) {
	if w.found == nil || !w.walked.whole || len(w.run.options.Include) > 0 {
		return
	}
	for _, name := range b.names {
		if !b.used[name] && !strings.HasPrefix(name, ".") {
			w.run.progress.PassOver(strings.ToLower(filepath.Ext(name)))
		}
	}
}
