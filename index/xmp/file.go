package xmp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mekiki/index/ingest/drives"
	"mekiki/index/xmp/rdf"
	"mekiki/internal/vfs"
)

// errChanged says that a file is not as it was read.
var errChanged = errors.New("another program has changed it meanwhile")

// newSidecarMode is the mode of a sidecar whose picture's says nothing better.
const newSidecarMode = 0o644

// content is what a path held when it was read; there may have been nothing.
type content struct {
	data  []byte
	there bool
	mode  fs.FileMode
	stat  fs.FileInfo
}

// readContent reads a sidecar. One that is not a plain file, or too large, is an error of [rdf.ErrRefused].
func readContent(path string) (content, error) {
	stat, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return content{}, nil
	case err != nil:
		return content{}, err
	case stat.Mode()&fs.ModeSymlink != 0:
		return content{}, fmt.Errorf("%w: it is a link", rdf.ErrRefused)
	case !stat.Mode().IsRegular():
		return content{}, fmt.Errorf("%w: it is not a file", rdf.ErrRefused)
	case stat.Size() > rdf.MaximumBytes:
		return content{}, fmt.Errorf("%w: it has more than %d MiB", rdf.ErrRefused, rdf.MaximumBytes>>20)
	}
	file, err := drives.OpenToRead(path)
	if err != nil {
		return content{}, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, rdf.MaximumBytes+1))
	if err != nil {
		return content{}, err
	}
	return content{data: data, there: true, mode: stat.Mode().Perm(), stat: stat}, nil
}

// isStill reports whether a path holds what was read of it.
func (c content) isStill(path string) bool {
	stat, err := os.Lstat(path)
	if !c.there {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && os.SameFile(stat, c.stat) && stat.Size() == c.stat.Size() && stat.ModTime().Equal(c.stat.ModTime())
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// replace puts data in a file's place, whole or not at all: it is durable once this returns. The file must still be what
// was read of it.
func replace(path string, former content, data []byte, mode fs.FileMode) (err error) {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".mekiki-new")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a run that was killed
		return err
	}
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(temporary))
		}
	}()
	_, err = io.Copy(file, bytes.NewReader(data))
	if err == nil {
		if former.there { // whoever else wrote to it goes on to
			_ = file.Chmod(mode) // some drives have no modes
		}
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if !former.isStill(path) {
		return errChanged
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return vfs.SyncFolder(filepath.Dir(path))
}

// remove removes a file that is still what was read of it.
func remove(path string, former content) error {
	if !former.isStill(path) {
		return errChanged
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return vfs.SyncFolder(filepath.Dir(path))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
