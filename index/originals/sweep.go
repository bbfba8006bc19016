package originals

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/internal/vfs"
)

// AsideOf gives the folder, below a library's, where originals go that no record
// names and that were acknowledged once.
func AsideOf(library string) string { return filepath.Join(library, "quarantine", "uploads") }

// Swept is what a sweep did.
type Swept struct {
	// Removed counts the originals that a crash left before their upload was
	// acknowledged or after their record was deleted.
	Removed int
	// Aside counts the originals that no record names although they were
	// acknowledged once, as after going back to a backup: they are in the
	// library's folder quarantine/uploads.
	Aside int
	// Found counts the records that have an original again, which was at another
	// place than they name, as after moving a library.
	Found int
}

// Library is the library whose originals are kept, on a disk of this machine.
type Library interface {
	index.Library
	// Folder is its folder, beside which the originals are.
	Folder() string
	// Present fails when the folder is not the library's any more.
	Present() error
	// HasWriter reports whether a process is said to be writing to it.
	HasWriter() bool
	// Findings is the damage that was met when it was opened.
	Findings() []index.Finding
	// Refresh brings one that is open for reading up to date, and reports whether
	// anything changed.
	Refresh(ctx context.Context) (bool, error)
}

// Sweep settles what a crash left in a folder of originals, and puts what no
// record names aside. Files with other names than originals have are left alone,
// and so is everything when the library is damaged, whose records may yet come
// back. The library must be open for writing, and nobody may add originals
// meanwhile.
func Sweep(ctx context.Context, library Library, folder string, logger *slog.Logger) (Swept, error) {
	w := &sweep{library: library, logger: logger}
	if len(library.Findings()) > 0 {
		logger.Warn("uploads that no record names are left, because the library is damaged")
		return w.swept, nil
	}
	if err := library.Present(); err != nil {
		return w.swept, fmt.Errorf("sweep uploads: %w", err)
	}
	err := eachSubfolder(folder, func(found content) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.settle(ctx, found); err != nil {
			logger.Warn("an upload is not settled", "error", err)
		}
		return nil
	})
	if err != nil {
		return w.swept, fmt.Errorf("sweep uploads: %w", err)
	}
	return w.swept, nil
}

// content is what a folder has of one content.
type content struct {
	hash index.Hash
	// originals are paths, normally one; rest are notes and what was being
	// written.
	originals, rest []string
	pending         bool
}

// eachSubfolder visits what lies in a folder of originals, content by content.
func eachSubfolder(folder string, visit func(content) error) error {
	subfolders, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, subfolder := range subfolders {
		if !subfolder.IsDir() || len(subfolder.Name()) != 2 || strings.Trim(subfolder.Name(), "0123456789abcdef") != "" {
			continue
		}
		entries, err := os.ReadDir(filepath.Join(folder, subfolder.Name()))
		if err != nil {
			return err
		}
		for _, found := range contentsOf(filepath.Join(folder, subfolder.Name()), entries) {
			if err := visit(*found); err != nil {
				return err
			}
		}
	}
	return nil
}

// contentsOf puts the files of a subfolder together by their content.
func contentsOf(folder string, entries []fs.DirEntry) []*content {
	var found []*content
	of := func(hash index.Hash) *content {
		at := slices.IndexFunc(found, func(c *content) bool { return c.hash == hash })
		if at < 0 {
			found, at = append(found, &content{hash: hash}), len(found)
		}
		return found[at]
	}
	for _, entry := range entries {
		name, path := entry.Name(), filepath.Join(folder, entry.Name())
		if !entry.Type().IsRegular() {
			continue
		}
		if hash, ok := parseOriginal(filepath.Base(folder), name); ok {
			one := of(hash)
			one.originals = append(one.originals, path)
			continue
		}
		for _, suffix := range []string{stagedSuffix, noteSuffix} {
			digits, has := strings.CutSuffix(strings.TrimPrefix(name, "."), suffix)
			if hash, ok := parseHash(digits); has && ok && name[0] == '.' {
				one := of(hash)
				one.rest, one.pending = append(one.rest, path), one.pending || suffix == noteSuffix
			}
		}
		if digits, former := strings.CutPrefix(name, formerStaged); former && digits != "" && strings.Trim(digits, "0123456789") == "" {
			found = append(found, &content{rest: []string{path}})
		}
	}
	return found
}

// sweep is one call of Sweep.
type sweep struct {
	library Library
	logger  *slog.Logger
	swept   Swept
}

func (w *sweep) settle(ctx context.Context, found content) error {
	reader, err := w.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	owners, err := reader.RecordsByPath(ctx, found.originals)
	if err != nil {
		return err
	}
	var problems []error
	for i, path := range found.originals {
		if owners[i] == nil {
			problems = append(problems, w.unnamed(ctx, reader, found, path))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	for _, path := range found.rest {
		problems = append(problems, remove(path))
	}
	return errors.Join(problems...)
}

// unnamed decides about an original whose path is no record's.
func (w *sweep) unnamed(ctx context.Context, reader index.Reader, found content, path string) error {
	record, err := index.One(reader.RecordsByHash(ctx, []index.Hash{found.hash}))
	if err != nil {
		return err
	}
	if record != nil {
		if file, err := reader.OpenOriginal(ctx, record.ID); err != nil {
			return w.attach(ctx, record, path)
		} else if err := file.Close(); err != nil || !found.pending {
			return err // the record has another, and this one may stay
		}
	}
	if found.pending {
		w.swept.Removed++
		return remove(path)
	}
	return w.aside(path)
}

// attach gives a record, none of whose files is there, the original that has its
// content.
func (w *sweep) attach(ctx context.Context, record *index.Record, path string) error {
	file, stat, err := vfs.OpenRegular(path, false)
	if err != nil {
		return err
	}
	defer file.Close()
	stamp := index.File{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat), Name: record.Name()}
	if err := verify(ctx, file, record.Hash); err != nil {
		return w.aside(path)
	}
	batch := index.Batch{Attach: []index.Attach{{ID: record.ID, File: stamp}}}
	for _, former := range record.Files {
		if IsOriginal(record, former) {
			batch.Detach = append(batch.Detach, former.Path)
		}
	}
	if _, err := w.library.Write(ctx, batch); err != nil {
		return err
	}
	w.swept.Found++
	return nil
}

// aside moves an original out of the folder.
func (w *sweep) aside(path string) error {
	folder := AsideOf(w.library.Folder())
	err := errors.Join((vfs.OS{}).Mkdir(filepath.Dir(folder)), (vfs.OS{}).Mkdir(folder))
	if err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(folder, filepath.Base(path))); err != nil {
		return err
	}
	w.swept.Aside++
	return vfs.SyncFolder(folder)
}
