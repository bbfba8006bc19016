package embed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"mekiki/embed/manifest"
	"mekiki/internal/hint"
)

// files gives a model's files after comparing them with the manifest, each once.
type files struct {
	dir    string
	listed map[string]*listedFile
}

type listedFile struct {
	manifest.File
	mutex    sync.Mutex
	verified bool
}

func newFiles(dir string, list []manifest.File) *files {
	f := &files{dir: dir, listed: make(map[string]*listedFile, len(list))}
	for _, file := range list {
		f.listed[file.Name] = &listedFile{File: file}
	}
	return f
}

func (f *files) path(name string) string { return filepath.Join(f.dir, name) }

// verify compares one file's hash with the manifest, unless that was done before.
func (f *files) verify(ctx context.Context, name string) error {
	file, ok := f.listed[name]
	if !ok {
		return fmt.Errorf("%w: %s is not listed in %s", ErrModelFiles, name, manifest.FileName)
	}
	file.mutex.Lock()
	defer file.mutex.Unlock()
	if file.verified {
		return nil
	}
	opened, err := os.Open(f.path(name))
	if err != nil {
		return err
	}
	defer opened.Close()
	sum, err := hash(ctx, opened)
	if err != nil {
		return fmt.Errorf("verify %s: %w", name, err)
	}
	if sum != file.SHA256 {
		return hint.Wrap(fmt.Errorf("%w: %s has another hash", ErrModelFiles, f.path(name)),
			"compile the model again, for example with mekiki import")
	}
	file.verified = true
	return nil
}

// read returns a small file's verified contents.
func (f *files) read(ctx context.Context, name string) ([]byte, error) {
	const maximum = 16 << 20
	if err := f.verify(ctx, name); err != nil {
		return nil, err
	}
	if size := f.listed[name].Size; size > maximum {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", name, size, maximum)
	}
	return os.ReadFile(f.path(name))
}

func hash(ctx context.Context, source io.Reader) (string, error) {
	digest := sha256.New()
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		count, err := io.CopyN(digest, source, 16<<20)
		if count == 0 || err != nil {
			if err != nil && err != io.EOF {
				return "", err
			}
			return hex.EncodeToString(digest.Sum(nil)), nil
		}
	}
}
