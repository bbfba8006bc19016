package ort

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
)

var errNoMember = errors.New("the archive does not hold the library")

// extractTar writes the one named file of a gzipped tar to target.
func extractTar(ctx context.Context, archive, member, target string, report func(done, total int64)) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	defer unzipped.Close()
	// Skipped members are bounded too: a small archive may unpack to anything.
	reader := tar.NewReader(io.LimitReader(unzipped, 16*maximumLibrary))
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		entry, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: %s", errNoMember, member)
		}
		if err != nil {
			return err
		}
		if path.Clean(entry.Name) == member && entry.Typeflag == tar.TypeReg {
			return writeLibrary(ctx, reader, entry.Size, target, report)
		}
	}
}

// extractZip writes the one named file of a zip to target.
func extractZip(ctx context.Context, archive, member, target string, report func(done, total int64)) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer reader.Close()
	for _, entry := range reader.File {
		if path.Clean(entry.Name) != member || !entry.Mode().IsRegular() {
			continue
		}
		body, err := entry.Open()
		if err != nil {
			return err
		}
		defer body.Close()
		return writeLibrary(ctx, body, int64(min(entry.UncompressedSize64, 1<<62)), target, report)
	}
	return fmt.Errorf("%w: %s", errNoMember, member)
}

// writeLibrary copies exactly size bytes and makes them durable.
func writeLibrary(ctx context.Context, source io.Reader, size int64, target string, report func(done, total int64)) error {
	if size <= 0 || size > maximumLibrary {
		return fmt.Errorf("the library has %d bytes, want 1 to %d", size, int64(maximumLibrary))
	}
	file, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer file.Close()
	body := &meter{source: &cancellable{ctx: ctx, source: source}, report: func(done int64) { report(done, size) }}
	if _, err := io.CopyN(file, body, size); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// cancellable ends reading when a context ends.
type cancellable struct {
	ctx    context.Context
	source io.Reader
}

func (c *cancellable) Read(buffer []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.source.Read(buffer)
}
