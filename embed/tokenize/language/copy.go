package language

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Copy writes those of the tokenizer's files, and of further ones, that exist into the folder dir, and says which they are. read
// is as for Open.
func Copy(read func(name string) ([]byte, error), dir string, further ...string) (names []string, err error) {
	for _, name := range append(Files(), further...) {
		content, err := read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o644)
		}
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
