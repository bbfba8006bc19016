package runner

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"mekiki/embed/manifest"
)

// Files gives a model's files after comparing them with the manifest, each once.
type Files struct {
	dir      string
	manifest manifest.Manifest

	mutex    sync.Mutex // held while files are compared
	verified map[string]bool
}

func newFiles(dir string, model manifest.Manifest) *Files {
	return &Files{dir: dir, manifest: model, verified: map[string]bool{}}
}

// Path is where a file of the model lies.
func (f *Files) Path(name string) string { return filepath.Join(f.dir, name) }

// Verify compares files with the manifest, those that were not before.
func (f *Files) Verify(ctx context.Context, names ...string) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, name := range names {
		if f.verified[name] {
			continue
		}
		if err := f.manifest.VerifyFile(ctx, f.dir, name); err != nil {
			return err
		}
		f.verified[name] = true
	}
	return nil
}

// ReadOptional is read of a file that the model may lack, which is fs.ErrNotExist then.
func (f *Files) ReadOptional(ctx context.Context, name string) ([]byte, error) {
	if !slices.ContainsFunc(f.manifest.Files, func(file manifest.File) bool { return file.Name == name }) {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return f.read(ctx, name)
}

// read returns a small file's verified contents.
func (f *Files) read(ctx context.Context, name string) ([]byte, error) {
	const maximum = 64 << 20 // the largest tokenizer has half of it
	if err := f.Verify(ctx, name); err != nil {
		return nil, err
	}
	info, err := os.Stat(f.Path(name))
	if err != nil {
		return nil, err
	}
	if info.Size() > maximum {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", name, info.Size(), maximum)
	}
	return os.ReadFile(f.Path(name))
}
