package originals

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mekiki/index"
	"mekiki/internal/contextio"
	"mekiki/internal/vfs"
)

// errContent is the error of an original that holds something else.
var errContent = errors.New("it is not what was uploaded")

// verify reads an open file and compares it with a hash.
func verify(ctx context.Context, file io.Reader, want index.Hash) error {
	digest := sha256.New()
	if _, err := io.Copy(digest, contextio.NewReader(ctx, file)); err != nil {
		return err
	}
	if index.Hash(digest.Sum(nil)) != want {
		return errContent
	}
	return nil
}

// The remedies of what Check finds.
const (
	remedyMissing = "upload the picture again, or put the file back from a copy"
	remedySweep   = "none is needed: it is settled when \"mekiki serve\" starts, or by mekiki check --repair"
	remedyUnnamed = "mekiki check --repair moves it to the library's folder quarantine/uploads; to have it back as a record, move it to a folder of yours and index that"
)

// Check reads every original that a record names and adds to the report what is
// missing or not as it was uploaded, as damage, and what no record names, as a
// remark. It changes nothing. The library may be open for reading while a server
// writes to it.
func Check(ctx context.Context, library Library, folder string, report *index.CheckReport) error {
	c := &checker{library: library, folder: folder, report: report}
	// The folder is listed before the library is asked, which then knows all that
	// was in the list, but for what is under way.
	var listed []content
	err := eachSubfolder(folder, func(found content) error {
		listed = append(listed, found)
		return ctx.Err()
	})
	if err == nil {
		_, err = library.Refresh(ctx)
	}
	if err == nil {
		err = c.records(ctx)
	}
	if err == nil {
		err = c.unnamed(ctx, listed)
	}
	if err != nil {
		return fmt.Errorf("check uploads: %w", err)
	}
	return nil
}

type checker struct {
	library Library
	folder  string
	report  *index.CheckReport
}

// records reads the originals that records name.
func (c *checker) records(ctx context.Context) error {
	reader, err := c.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	for record, err := range reader.All(ctx) {
		if err != nil {
			return err
		}
		for _, file := range record.Files {
			if !IsOriginal(record, file) {
				continue
			}
			err := c.read(ctx, record, file.Path)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil || c.changed(ctx, record, file.Path) {
				continue
			}
			message := fmt.Sprintf("the original of record %d cannot be read: %v", record.ID, err)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				message = fmt.Sprintf("the original of record %d is missing", record.ID)
			case errors.Is(err, errContent):
				message = fmt.Sprintf("the original of record %d is damaged: %v", record.ID, err)
			}
			c.find(file.Path, message, remedyMissing, true, record.ID)
		}
	}
	return nil
}

func (c *checker) read(ctx context.Context, record *index.Record, path string) error {
	file, stat, err := vfs.OpenRegular(path, false)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := verify(ctx, file, record.Hash); err != nil {
		return err
	}
	c.report.Files++
	c.report.Bytes += stat.Size()
	return nil
}

// changed reports whether a record has not a file any more, because it was deleted
// since the snapshot was taken.
func (c *checker) changed(ctx context.Context, record *index.Record, path string) bool {
	if changed, err := c.library.Refresh(ctx); err != nil || !changed {
		return false
	}
	reader, err := c.library.Reader(ctx)
	if err != nil {
		return false
	}
	defer reader.Close()
	now, err := index.One(reader.RecordsByPath(ctx, []string{path}))
	return err == nil && (now == nil || now.ID != record.ID)
}

// unnamed reports what no record names.
func (c *checker) unnamed(ctx context.Context, listed []content) error {
	reader, err := c.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	writing := c.library.HasWriter()
	for _, found := range listed {
		known, err := index.One(reader.RecordsByHash(ctx, []index.Hash{found.hash}))
		if err != nil {
			return err
		}
		owners, err := reader.RecordsByPath(ctx, found.originals)
		if err != nil {
			return err
		}
		for i, path := range found.originals {
			if owners[i] != nil || known != nil && !found.pending || gone(path) {
				continue
			}
			switch {
			case !found.pending:
				c.find(path, "no record names this upload", remedyUnnamed, false)
			case !writing:
				c.find(path, "an upload or a deletion was broken off, and no record names this file", remedySweep, false)
			}
		}
		for _, path := range found.rest {
			if len(found.originals) == 0 && !writing && !gone(path) {
				c.find(path, "an upload was broken off", remedySweep, false)
			}
		}
	}
	return nil
}

func gone(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func (c *checker) find(path, message, remedy string, damage bool, records ...index.ID) {
	name := path
	if relative, err := filepath.Rel(c.library.Folder(), path); err == nil {
		name = relative
	}
	c.report.Findings = append(c.report.Findings, index.Finding{File: name, Damage: damage, Message: message, Remedy: remedy, Records: records})
}
