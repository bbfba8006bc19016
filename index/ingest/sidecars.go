package ingest

import (
	"encoding/binary"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index/metadata"
)

// beside is what a folder holds that may describe its pictures.
type beside struct {
	folder string
	// names are in order of their keys, see [sidecarKey].
	names []string
	keys  []string
	used  map[string]bool
}

func besideOf(folder string, entries []fs.DirEntry) *beside {
	b := &beside{folder: folder, used: map[string]bool{}}
	for _, entry := range entries {
		if metadata.IsSidecarName(entry.Name()) && entry.Type().IsRegular() {
			b.names = append(b.names, entry.Name())
		}
	}
	slices.SortFunc(b.names, func(a, b string) int { return strings.Compare(sidecarKey(a), sidecarKey(b)) })
	for _, name := range b.names {
		b.keys = append(b.keys, sidecarKey(name))
	}
	return b
}

// of gives the names that describe a picture. Of a folder of a hundred thousand only
// those that begin alike are looked at.
func (b *beside) of(name string) []string {
	if len(b.names) == 0 {
		return nil
	}
	key := sidecarKey(name)
	first, _ := slices.BinarySearch(b.keys, key)
	last := first
	for last < len(b.keys) && b.keys[last] == key {
		last++
	}
	found := metadata.SidecarsOf(name, b.names[first:last])
	for _, each := range found {
		b.used[each] = true
	}
	return found
}

// sidecarKeyBytes is how much of a name programs leave when they cut it to make room
// for what they add.
const sidecarKeyBytes = 40

// sidecarKey is what the names of a picture and of what describes it have in common:
// the beginning before the first dot or bracket, and before last words without a digit
// such as "-edited".
func sidecarKey(name string) string {
	key := strings.ToLower(strings.ToUpper(name)) // as strings.EqualFold sees it
	if at := strings.IndexAny(key, ".("); at > 0 {
		key = key[:at]
	}
	key = key[:min(len(key), sidecarKeyBytes)]
	words := strings.LastIndexAny(key, "0123456789") + 1 // without a digit
	if at := strings.IndexByte(key[words:], '-'); words+at > 0 && at >= 0 {
		key = key[:words+at]
	}
	return key
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
			w.run.progress.passOver(strings.ToLower(filepath.Ext(name)))
		}
	}
}
