package manifest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mekiki/internal/hint"
)

// ErrFiles means that a model's folder is not as its manifest says.
var ErrFiles = errors.New("model files are not as they were written")

// remedy is for models that cannot be used as they are.
const remedy = "compile the model again, for example with mekiki import"

// CheckFolder compares names and sizes in the model's folder with the manifest,
// without reading the files, and reports all that differ as ErrFiles.
func (m Manifest) CheckFolder(dir string) error {
	listed := map[string]int64{}
	for _, file := range m.Files {
		listed[file.Name] = file.Size
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var problems []error
	for _, entry := range entries {
		if entry.Name() == FileName {
			continue
		}
		size, known := listed[entry.Name()]
		info, err := entry.Info()
		switch {
		case err != nil:
			problems = append(problems, err)
		case !known:
			problems = append(problems, fmt.Errorf("%s does not belong to the model", entry.Name()))
		case !info.Mode().IsRegular():
			problems = append(problems, fmt.Errorf("%s is not a regular file", entry.Name()))
		case info.Size() != size:
			problems = append(problems, fmt.Errorf("%s has %d bytes, not %d", entry.Name(), info.Size(), size))
		}
		delete(listed, entry.Name())
	}
	for name := range listed {
		problems = append(problems, fmt.Errorf("%s is missing", name))
	}
	return filesError(problems)
}

// Verify reads every file of the model's folder and reports all that differ from the
// manifest as ErrFiles.
func (m Manifest) Verify(ctx context.Context, dir string) error {
	var problems []error
	for _, file := range m.Files {
		if err := file.check(ctx, dir); err != nil {
			problems = append(problems, err)
		}
	}
	return filesError(problems)
}

// VerifyFile is Verify of one file, which the manifest must list.
func (m Manifest) VerifyFile(ctx context.Context, dir, name string) error {
	for _, file := range m.Files {
		if file.Name == name {
			if err := file.check(ctx, dir); err != nil {
				return filesError([]error{err})
			}
			return nil
		}
	}
	return filesError([]error{fmt.Errorf("%s is not listed in %s", name, FileName)})
}

func filesError(problems []error) error {
	if len(problems) == 0 {
		return nil
	}
	return hint.Wrap(fmt.Errorf("%w: %w", ErrFiles, errors.Join(problems...)), remedy)
}

func (f File) check(ctx context.Context, dir string) error {
	found, err := Describe(ctx, dir, f.Name)
	if err == nil && found != f {
		err = fmt.Errorf("%s has another size or hash", filepath.Join(dir, f.Name))
	}
	return err
}

// Describe reads a file of the model folder dir to its end.
func Describe(ctx context.Context, dir, name string) (File, error) {
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return File{}, fmt.Errorf("read model: %w", err)
	}
	defer file.Close()
	const stretch = 16 << 20 // between two looks at the context
	sum, described := sha256.New(), File{Name: name}
	for {
		if err := ctx.Err(); err != nil {
			return File{}, err
		}
		count, err := io.CopyN(sum, file, stretch)
		described.Size += count
		if errors.Is(err, io.EOF) {
			described.SHA256 = hex.EncodeToString(sum.Sum(nil))
			return described, nil
		}
		if err != nil {
			return File{}, fmt.Errorf("read model: %w", err)
		}
	}
}
