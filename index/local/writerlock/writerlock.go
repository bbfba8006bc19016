package writerlock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
)

// The lock, and who holds it, are files in the library's folder.
const (
	FileName   = "lock"
	HolderName = "writer.json"
)

// Holder is the process that holds the writer's lock.
type Holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Program is the command that opened the library.
	Program string    `json:"program"`
	Since   time.Time `json:"since"`
}

// Take takes the writer's lock and writes down who has it. The operating
// system gives the lock back when the process ends, however it ends, so that
// it is never stale; what is written down may be, and is then replaced.
func Take(fsys vfs.FS, folder string, now time.Time) (io.Closer, error) {
	lock, err := fsys.Lock(filepath.Join(folder, FileName))
	if errors.Is(err, vfs.ErrLocked) {
		return nil, lockedError(fsys, folder)
	}
	if err != nil {
		return nil, fmt.Errorf("lock library: %w", err)
	}
	host, _ := os.Hostname()
	holder := Holder{PID: os.Getpid(), Host: host, Program: filepath.Base(os.Args[0]), Since: now.UTC()}
	if err := writeHolder(fsys, filepath.Join(folder, HolderName), holder); err != nil {
		return nil, errors.Join(fmt.Errorf("lock library: %w", err), lock.Close())
	}
	return lock, nil
}

func writeHolder(fsys vfs.FS, name string, holder Holder) error {
	data, err := json.Marshal(holder)
	if err != nil {
		return err
	}
	file, err := fsys.Create(name)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(append(data, '\n'), 0)
	return errors.Join(err, file.Close())
}

// ReadHolder tells who writes, or wrote last without closing, to the library
// in a folder; false when nobody is written down.
func ReadHolder(folder string) (Holder, bool) { return readHolder(vfs.OS{}, folder) }

func readHolder(fsys vfs.FS, folder string) (Holder, bool) {
	data, err := vfs.ReadFile(fsys, filepath.Join(folder, HolderName), 1<<16)
	if err != nil {
		return Holder{}, false
	}
	var holder Holder
	return holder, json.Unmarshal(data, &holder) == nil
}

func lockedError(fsys vfs.FS, folder string) error {
	err := fmt.Errorf("open library %s: %w", folder, index.ErrLocked)
	remedy := "wait until the other process is done, or stop it"
	if holder, known := readHolder(fsys, folder); known {
		err = fmt.Errorf("open library %s: %w: %s, process %d on %s, has been writing to it since %s",
			folder, index.ErrLocked, holder.Program, holder.PID, holder.Host, holder.Since.Local().Format(time.DateTime))
		remedy = fmt.Sprintf("wait until process %d is done, or stop it", holder.PID)
	}
	return hint.Wrap(err, remedy)
}

// Give gives the lock back.
func Give(fsys vfs.FS, folder string, lock io.Closer) error {
	err := fsys.Remove(filepath.Join(folder, HolderName))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, lock.Close())
}
