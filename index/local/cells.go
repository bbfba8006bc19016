package local

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mekiki/index"
	"mekiki/internal/vfs"
	"path/filepath"
	"strings"
)

// cellsFolder holds what a large vector index takes long to build. Each file
// checks itself against the vectors, so that it may be of any earlier state.
const cellsFolder = "vectors"

func (x *vectorStore) cellsName(kind index.Kind) string { return x.library.cellsName(x.number, kind) }

func (l *Library) cellsName(space uint64, kind index.Kind) string {
	return filepath.Join(l.folder, derivedFolder, cellsFolder, fmt.Sprintf("%04d-%ss.cells", space, kind))
}

// removeCells deletes what was built of a space that is gone.
func (l *Library) removeCells(space uint64) {
	for _, kind := range []index.Kind{index.KindImage, index.KindText} {
		if err := ignoreMissing(l.fsys.Remove(l.cellsName(space, kind))); err != nil {
			l.logger.Warn("delete the cells of a space that is gone", "error", err)
		}
	}
}

// celled reports whether an index of so many records of a kind has cells.
func (x *vectorStore) celled(kind index.Kind, records int) bool {
	if kind == index.KindImage {
		records *= x.space.Parts
	}
	return records >= x.library.options.celledVectors
}

// loadCells reads saved cells into a filled index, and reports whether saving
// them again would spare the next opening much.
func (x *vectorStore) loadCells(kind index.Kind, into vectorIndex, groups int) (stale bool) {
	file, err := x.library.fsys.Open(x.cellsName(kind))
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
		x.library.logger.Warn("build the cells of the vector index again", "file", x.cellsName(kind), "why", err)
	}
	return stale || err != nil
}

// worthSaving reports whether so many groups of an index are in no saved cell that
// saving would spare the next opening much.
func worthSaving(missing, groups int) bool { return missing > groups/16 }

// saveGrown saves the cells of what has grown since they were saved, for the next
// opening, unless a search is loading just now.
func (x *vectorStore) saveGrown(last *view) {
	select {
	case x.turn <- struct{}{}:
	default:
		return
	}
	defer func() { <-x.turn }()
	if x.images == nil || x.keeps {
		return
	}
	for kind, index := range map[index.Kind]vectorIndex{index.KindImage: x.images, index.KindText: x.texts} {
		if index.Pending() != nil {
			continue // they were not built in time
		}
		view := index.View(last.valuesOf(x.number))
		if x.celled(kind, view.Len()) && worthSaving(view.Len()-x.saved[kind], view.Len()) {
			x.saveCells(kind, view)
		}
	}
}

// saveCells writes the cells of a view. Readers do so too, where they may:
// whoever has built them spares it the others.
func (x *vectorStore) saveCells(kind index.Kind, view vectorView) {
	l, name := x.library, x.cellsName(kind)
	err := l.present()
	if err == nil {
		err = makeFolder(l.fsys, l.folder, filepath.Dir(name))
	}
	if err == nil {
		if !l.readOnly.Load() {
			removeTemporary(l.fsys, filepath.Dir(name))
		}
		err = writeStream(l.fsys, name, l.options.Now().UnixNano(), view.Save)
	}
	if err != nil {
		l.logger.Debug("the cells of the vector index are not saved", "file", name, "error", err)
	}
}

// removeTemporary removes what processes that ended early left.
func removeTemporary(fsys vfs.FS, folder string) {
	entries, err := fsys.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), temporarySuffix) {
			// Should another process write it just now, its renaming fails.
			_ = fsys.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// writeStream writes a derived file under its name or not at all. It need not
// survive a power failure.
func writeStream(fsys vfs.FS, name string, unique int64, write func(io.Writer) error) error {
	temporary := fmt.Sprintf("%s.%x%s", name, unique, temporarySuffix)
	file, err := fsys.Create(temporary)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(io.NewOffsetWriter(file, 0), 1<<20)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = fsys.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, fsys.Remove(temporary))
	}
	return nil
}
