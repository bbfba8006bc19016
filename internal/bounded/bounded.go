// Package bounded reads what is to be short: a file of settings, a manifest, an answer. The length is known to be bounded
// before the memory is taken, whatever the file or the other side says.
package bounded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrTooLong is the error of what is longer than it may be; test with errors.Is.
var ErrTooLong = errors.New("too long")

// tooLong says how long it may be.
type tooLong struct{ most int64 }

func (e tooLong) Error() string        { return fmt.Sprintf("larger than %d bytes", e.most) }
func (e tooLong) Is(target error) bool { return target == ErrTooLong }

// Read reads all of reader, which is to hold at most most bytes, and fails with ErrTooLong where it holds more.
func Read(reader io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(reader, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, tooLong{most}
	}
	return data, nil
}

// ReadFile is [Read] of a file of the operating system. Its errors name the file.
func ReadFile(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return readAndClose(file, path, most)
}

// ReadFileIn is [Read] of a file of a file system. Its errors name the file.
func ReadFileIn(files fs.FS, name string, most int64) ([]byte, error) {
	file, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	return readAndClose(file, name, most)
}

func readAndClose(file io.ReadCloser, name string, most int64) ([]byte, error) {
	defer file.Close()
	data, err := Read(file, most)
	var named *fs.PathError
	if err != nil && !errors.As(err, &named) {
		err = &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return data, err
}
