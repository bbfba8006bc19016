package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mekiki/internal/vfs"
)

// WriteFolder makes the model folder dir of what write puts into another one,
// replacing what is there once everything is written, and gives what write gave.
func WriteFolder(dir string, write func(partial string) (Manifest, error)) (written Manifest, err error) {
	partial := filepath.Clean(dir) + ".partial"
	err = os.RemoveAll(partial)
	if err == nil {
		err = os.MkdirAll(partial, 0o755)
	}
	if err == nil {
		written, err = write(partial)
	}
	if err == nil {
		err = syncAll(partial)
	}
	if err == nil {
		err = replaceFolder(partial, dir)
	}
	if err != nil {
		_ = os.RemoveAll(partial)
		return Manifest{}, fmt.Errorf("compile model: %w", err)
	}
	return written, nil
}

// syncAll makes a folder and its files survive a power loss.
func syncAll(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		file, err := os.OpenFile(filepath.Join(dir, entry.Name()), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return fmt.Errorf("sync %s: %w", file.Name(), err)
		}
	}
	return vfs.SyncFolder(dir)
}

// asideSuffix ends the name to which a model is moved while a new one takes its
// place.
const asideSuffix = ".old"

// replaceFolder moves the folder from over the folder to. When it is interrupted
// between the two renames, Restore finishes or undoes it.
func replaceFolder(from, to string) error {
	aside := filepath.Clean(to) + asideSuffix
	if _, err := os.Lstat(to); err == nil {
		if err := os.RemoveAll(aside); err != nil {
			return err
		}
		if err := os.Rename(to, aside); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	// The old model goes once the new one is there for good.
	if err := vfs.SyncFolder(filepath.Dir(filepath.Clean(to))); err != nil {
		return err
	}
	return os.RemoveAll(aside)
}

// Restore puts a model back that WriteFolder moved aside and, being killed, did not
// replace. It does nothing where dir is there. No WriteFolder into dir may be at
// work.
func Restore(dir string) error {
	aside := filepath.Clean(dir) + asideSuffix
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	manifest, err := Read(aside)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = manifest.CheckFolder(aside)
	}
	if err != nil {
		return fmt.Errorf("restore model: %w", err)
	}
	return os.Rename(aside, dir)
}
