package nearest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/internal/vfs"
)

// listsFolder holds the inverted lists of large vector indexes, which take long to
// build. Each file checks itself against the vectors, so that it may be of any earlier
// state.
const listsFolder = "vectors"

func (x *Store) listsName(kind index.Kind) string { return x.Host.listsName(x.Number, kind) }

func (l *Host) listsName(space uint64, kind index.Kind) string {
	return filepath.Join(l.Folder, catalog.DerivedFolder, listsFolder, fmt.Sprintf("%04d-%ss.cells", space, kind))
}

// RemoveLists deletes the inverted lists of a space that is gone.
func (l *Host) RemoveLists(space uint64) {
	for _, kind := range []index.Kind{index.KindImage, index.KindText} {
		if err := vfs.IgnoreMissing(l.Fsys.Remove(l.listsName(space, kind))); err != nil {
			l.Logger.Warn("delete the inverted lists of a space that is gone", "error", err)
		}
	}
}

// approximates reports whether an index of so many records of a kind has inverted lists.
func (x *Store) approximates(kind index.Kind, records int) bool {
	if kind == index.KindImage {
		records *= x.space.Parts
	}
	return records >= x.Host.ApproximateFrom
}

// loadLists reads saved inverted lists into a filled index, and reports whether saving
// them again would spare the next opening much.
func (x *Store) loadLists(kind index.Kind, into Index, groups int) (stale bool) {
	file, err := x.Host.Fsys.Open(x.listsName(kind))
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err == nil {
		var size int64
		if size, err = file.Size(); err == nil {
			var missing int
			missing, err = into.Load(io.NewSectionReader(file, 0, size))
			stale = worthSaving(missing, groups)
		}
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		x.Host.Logger.Warn("build the inverted lists of the vector index again", "file", x.listsName(kind), "why", err)
	}
	return stale || err != nil
}

// worthSaving reports whether so many groups of an index are in no saved list that
// saving would spare the next opening much.
func worthSaving(missing, groups int) bool { return missing > groups/16 }

// SaveGrown saves the inverted lists of what has grown since they were saved, for the next
// opening, unless a search is loading just now.
func (x *Store) SaveGrown(last *View) {
	select {
	case x.mu <- struct{}{}:
	default:
		return
	}
	defer func() { <-x.mu }()
	if x.images == nil || x.keeps {
		return
	}
	for kind, index := range map[index.Kind]Index{index.KindImage: x.images, index.KindText: x.texts} {
		if index.Pending() != nil {
			continue // they were not built in time
		}
		view := index.View(last.valuesOf(x.Number))
		if x.approximates(kind, view.Len()) && worthSaving(view.Len()-x.saved[kind], view.Len()) {
			x.saveLists(kind, view)
		}
	}
}

// saveLists writes the inverted lists of a view. Readers do so too, where they may, so
// that the others need not build them again.
func (x *Store) saveLists(kind index.Kind, view IndexView) {
	l, name := x.Host, x.listsName(kind)
	err := l.Present()
	if err == nil {
		err = vfs.MkdirBelow(l.Fsys, l.Folder, filepath.Dir(name))
	}
	if err == nil {
		if !l.ReadOnly() {
			vfs.RemoveTemporary(l.Fsys, filepath.Dir(name))
		}
		err = vfs.WriteAtomically(l.Fsys, name, l.Now().UnixNano(), view.Save)
	}
	if err != nil {
		l.Logger.Debug("the inverted lists of the vector index are not saved", "file", name, "error", err)
	}
}
