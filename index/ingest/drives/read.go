package drives

import (
	"errors"
	"fmt"
	"io"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/internal/vfs"
)

// ErrChanging: the file is being written; its old stamp sees to it that it is
// tried again.
var ErrChanging = errors.New("the file changed while it was read")

// ReadStable reads a file that does not change meanwhile. One that was a file when
// it was found and is a link now has changed, unless links may be followed.
func ReadStable(file index.File, follow bool) ([]byte, index.File, error) {
	if err := checkSize(file.Bytes); err != nil {
		return nil, file, err
	}
	handle, before, err := vfs.OpenRegular(file.Path, follow)
	if errors.Is(err, vfs.ErrLink) {
		err = ErrChanging
	}
	if err != nil {
		return nil, file, err
	}
	defer handle.Close()
	if err := checkSize(before.Size()); err != nil { // it has grown since it was found
		return nil, StampOf(file.Path, before), err
	}
	data := make([]byte, 0, before.Size()+1)
	data, err = appendAll(data, handle, pixels.DefaultMaxBytes)
	if err != nil {
		return nil, file, err
	}
	after, err := handle.Stat()
	if err != nil {
		return nil, file, err
	}
	stamp := StampOf(file.Path, after)
	if !stamp.SameContent(StampOf(file.Path, before)) || int64(len(data)) != stamp.Bytes {
		return nil, file, ErrChanging
	}
	return data, stamp, nil
}

// checkSize refuses files too large to be decoded.
func checkSize(bytes int64) error {
	if bytes <= pixels.DefaultMaxBytes {
		return nil
	}
	return fmt.Errorf("%w: %d bytes, the limit is %d", pixels.ErrTooLarge, bytes, int64(pixels.DefaultMaxBytes))
}

// appendAll reads to the end, or to one byte beyond the limit.
func appendAll(data []byte, source io.Reader, limit int64) ([]byte, error) {
	source = io.LimitReader(source, limit+1)
	for {
		n, err := source.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return data, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}
