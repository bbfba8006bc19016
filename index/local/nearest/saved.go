package nearest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/vector"
	"mekiki/internal/vfs"
)

// listsFolder holds the graphs or inverted lists of large vector indexes, which take long
// to build. Each file checks itself against the vectors, so that it may be of any earlier
// state.
const listsFolder = "vectors"

// savedAs are the ends of the names of what is saved.
var savedAs = map[vector.Method]string{vector.HNSW: "graph", vector.IVF: "cells"}

func (l *Host) listsName(space uint64, kind index.Kind, method vector.Method) string {
	return filepath.Join(l.Folder, catalog.DerivedFolder, listsFolder, fmt.Sprintf("%04d-%ss.%s", space, kind, savedAs[method]))
}

// RemoveLists deletes the codes, graphs and inverted lists of a space that is gone.
func (l *Host) RemoveLists(space uint64) {
	var names []string
	for _, kind := range []index.Kind{index.KindImage, index.KindText} {
		names = append(names, l.codesFiles(space, kind)...)
		for method := range savedAs {
			names = append(names, l.listsName(space, kind, method))
		}
	}
	for _, name := range names {
		if err := vfs.IgnoreMissing(l.Fsys.Remove(name)); err != nil {
			l.Logger.Warn("delete what was saved for the searches of a space that is gone", "error", err)
		}
	}
}

// MethodOf says by what records of a kind are found when there are so many.
func (l *Host) MethodOf(space embed.Space, kind index.Kind, records int) vector.Method {
	if kind == index.KindImage {
		records *= space.Parts
	}
	return vector.Options{Method: l.Method, ApproximateFrom: l.ApproximateFrom}.MethodAt(records)
}

// isSaved reports whether an index of so many records of a kind has something to save.
func (x *Store) isSaved(kind index.Kind, records int) bool {
	return records > 0 && savedAs[x.Host.MethodOf(x.space, kind, records)] != ""
}

// loadLists reads a saved graph or saved inverted lists into a filled index, and reports whether saving
// them again would spare the next opening much.
func (x *Store) loadLists(kind index.Kind, into Index, groups int) (stale bool) {
	if savedAs[into.Method()] == "" {
		return false
	}
	name := x.Host.listsName(x.Number, kind, into.Method())
	file, err := x.Host.Fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err == nil {
		var size int64
		var keep bool
		if size, err = file.Size(); err == nil {
			var missing int
			missing, keep, err = into.Load(file, size)
			stale = worthSaving(missing, groups)
		}
		if keep {
			x.keepLists(kind, file)
		} else {
			err = errors.Join(err, file.Close())
		}
	}
	if err != nil {
		x.Host.Logger.Warn("build the graph or the inverted lists of the vector index again", "file", name, "why", err)
	}
	return stale || err != nil
}

// keepLists keeps a file open that an index reads lists from.
func (x *Store) keepLists(kind index.Kind, file vfs.File) {
	if x.lists == nil {
		x.lists = map[index.Kind][]vfs.File{}
	}
	x.lists[kind] = append(x.lists[kind], file)
}

// Renew builds the inverted lists of a kind again, in the background, where what was saved of them has turned out to be
// damaged. Until they are there, searches scan every vector.
func (x *Store) Renew(kind index.Kind) {
	if !x.renewing.CompareAndSwap(false, true) {
		return
	}
	x.Host.Background.Run(func(ctx context.Context) {
		defer x.renewing.Store(false)
		select {
		case x.mu <- struct{}{}:
		case <-ctx.Done():
			return
		}
		defer func() { <-x.mu }()
		if target := x.index(kind); target != nil && target.Damaged() {
			name := x.Host.listsName(x.Number, kind, target.Method())
			x.Host.Logger.Warn("build the inverted lists of the vector index again: what was saved is damaged", "file", name)
			if err := vfs.IgnoreMissing(x.Host.Fsys.Remove(name)); err != nil {
				x.Host.Logger.Debug("delete damaged inverted lists", "error", err)
			}
			target.Forget()
			x.publishCurrent(ctx)
		}
	})
}

// worthSaving reports whether so many groups of an index are in no saved list that
// saving would spare the next opening much.
func worthSaving(missing, groups int) bool { return missing > groups/16 }

// SaveGrown saves the graphs or the inverted lists of what has grown since they were saved, for the next
// opening, unless a search is loading just now.
func (x *Store) SaveGrown(last *View) {
	select {
	case x.mu <- struct{}{}:
	default:
		return
	}
	defer func() { <-x.mu }()
	if x.images == nil || x.keeps {
		x.CloseCodes()
		return
	}
	defer x.closeSavedCodes()
	for kind, index := range map[index.Kind]Index{index.KindImage: x.images, index.KindText: x.texts} {
		x.saveCodes(last, kind)
		if index.Pending() != nil {
			continue // they were not built in time
		}
		view := index.View(last.valuesOf(x.Number))
		if x.isSaved(kind, view.Len()) && worthSaving(view.Len()-x.saved[kind], view.Len()) {
			x.saveLists(kind, view)
		}
	}
}

// saveLists writes the graph or the inverted lists of a view, and reports whether they are saved now. Readers do so too,
// where they may, so that the others need not build them again.
func (x *Store) saveLists(kind index.Kind, view IndexView) (saved bool) {
	if savedAs[view.Method()] == "" {
		return false
	}
	l, name := x.Host, x.Host.listsName(x.Number, kind, view.Method())
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
		l.Logger.Debug("the graph or the inverted lists of the vector index are not saved", "file", name, "error", err)
		return false
	}
	x.removeOutgrown(kind, view.Method())
	return true
}

// removeOutgrown deletes what was saved of a kind by other methods than the one that its size now asks for, unless a method was
// asked for: then others may ask for another.
func (x *Store) removeOutgrown(kind index.Kind, method vector.Method) {
	l := x.Host
	if l.Method != "" && l.Method != vector.Automatic {
		return
	}
	for other := range savedAs {
		if other == method {
			continue
		}
		if err := vfs.IgnoreMissing(l.Fsys.Remove(l.listsName(x.Number, kind, other))); err != nil {
			l.Logger.Debug("delete an outgrown graph or outgrown inverted lists", "error", err)
		}
	}
}
