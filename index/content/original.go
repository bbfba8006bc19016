package content

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"mekiki/index"
	"mekiki/internal/vfs"
)

// Open opens the first of a record's files that is there and holds the
// record's content, as [OpenFile] makes sure. Otherwise the error is [index.ErrNotFound].
func Open(record *index.Record) (*os.File, error) {
	var problems []error
	for _, known := range record.Files {
		file, err := OpenFile(record, known)
		if err == nil {
			return file, nil
		}
		problems = append(problems, err)
	}
	return nil, fmt.Errorf("original of record %d: %w: %w", record.ID, index.ErrNotFound, errors.Join(problems...))
}

// OpenFile opens one of a record's files for reading. It gives the record's
// content or an error, whatever others have put at the file's path: a file is
// taken to hold it if it is no link and has the size, time and number that the
// record's file had when it was hashed. Any other, a link included, is read and
// must have the record's hash.
func OpenFile(record *index.Record, known index.File) (*os.File, error) {
	file, stat, err := vfs.OpenRegular(known.Path, false)
	linked := errors.Is(err, vfs.ErrLink)
	if linked {
		file, stat, err = vfs.OpenRegular(known.Path, true)
	}
	if err != nil {
		return nil, err
	}
	if !linked && stat.Size() == known.Bytes && stat.ModTime().Equal(known.Modified) && vfs.Inode(stat) == known.Inode {
		return file, nil
	}
	err = fmt.Errorf("%s has changed since it was indexed", known.Path)
	if stat.Size() == record.Bytes {
		err = checkContent(file, record.Hash, err)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Read reads a record's content from wherever the reader's library keeps it: most bytes at most, or one more where it is longer.
func Read(ctx context.Context, reader index.Reader, id index.ID, most int64) ([]byte, error) {
	file, err := reader.OpenOriginal(ctx, id)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, fmt.Errorf("read original of record %d: %w", id, err)
	}
	return data, nil
}

// checkContent gives otherwise unless a file's content, from its beginning, where
// it goes back to, has the hash.
func checkContent(file *os.File, want index.Hash, otherwise error) error {
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return err
	}
	if index.Hash(digest.Sum(nil)) != want {
		return otherwise
	}
	_, err := file.Seek(0, io.SeekStart)
	return err
}
