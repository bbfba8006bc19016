package duplicates

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"mekiki/internal/vfs"
)

// Kept is what comparing the pictures of one library with each other has found, in memory and in a file, so that none is
// compared twice. Safe for concurrent use.
type Kept struct {
	file   string
	fsys   vfs.FS
	logger *slog.Logger

	comparing sync.Mutex // held while pictures are compared

	mutex sync.Mutex
	read  bool
	known *pairs // never changed, but for another; nil for none
}

// FileOf names the file below a library's folder of derived data.
func FileOf(derivedFolder string) string { return filepath.Join(derivedFolder, "scenes.pairs") }

// NewKept keeps pairs in a file; "" keeps them in memory alone. A file that is missing, damaged or of another model is the same
// as one in which nothing was compared.
func NewKept(file string, logger *slog.Logger) *Kept {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Kept{file: file, fsys: vfs.OS{}, logger: logger}
}

// of gives the pairs of a space.
func (k *Kept) of(space string) *pairs {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if !k.read && k.file != "" {
		k.known = k.load()
	}
	k.read = true
	if k.known == nil || k.known.space != space {
		return newPairs(space)
	}
	return k.known
}

// load reads the file; nil where there is nothing to be used.
func (k *Kept) load() *pairs {
	data, err := vfs.ReadFile(k.fsys, k.file, maximumFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var known *pairs
	if err == nil {
		known, err = decodePairs(data)
	}
	if err != nil {
		k.logger.Warn("pictures are compared anew for duplicates", "file", k.file, "error", err)
		return nil
	}
	return known
}

// put keeps pairs in place of those of before. That they cannot be written is no failure.
func (k *Kept) put(next *pairs) {
	k.mutex.Lock()
	k.known, k.read = next, true
	k.mutex.Unlock()
	if k.file == "" {
		return
	}
	data := next.encode()
	err := vfs.WriteAtomically(k.fsys, k.file, time.Now().UnixNano(), func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		k.logger.Warn("compared pictures are forgotten when the process ends", "file", k.file, "error", err)
	}
}
