package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/originals"
	"mekiki/internal/vfs"
	"mekiki/server/problem"
)

// addRecord adds an uploaded image. Its file is kept under the hash of its
// content, so that nothing of the client's ends up in a path; the name it came
// with is kept in the record.
func (s *Server) addRecord(c echo.Context) error {
	if s.options.Ingester == nil || s.originals == nil || s.options.NoUploads {
		return problem.New(problem.Unsupported, "this server does not accept uploads")
	}
	var details struct {
		Tags   []string `json:"tags"`
		Folder string   `json:"folder"`
	}
	given, err := s.readRequest(c, &details)
	if err != nil {
		return err
	}
	wanted := newImage{data: given.image, hash: sha256.Sum256(given.image)}
	if wanted.tags, err = cleanTags("request.tags", details.Tags); err != nil {
		return err
	}
	folder, err := cleanFolder("request.folder", details.Folder)
	if err != nil {
		return err
	}
	wanted.name = uploadName(folder, given.fileName, wanted.hash)
	var record *index.Record
	var added bool
	err = s.compute(c, func(ctx context.Context) error {
		record, added, err = s.addImage(ctx, wanted)
		return err
	})
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/records/"+record.ID.String())
	if added {
		return sendJSON(c, http.StatusCreated, showRecord(record))
	}
	return sendJSON(c, http.StatusOK, showRecord(record))
}

// newImage is what an upload brings.
type newImage struct {
	data []byte
	hash index.Hash
	name string // with its folder; may be ""
	tags []string
}

// addImage brings an image into the library and says whether it is new. When it
// returns without an error the record has an original that is on disk, whatever
// else was done about the same picture at the same time: all that goes through the
// claim of its content.
func (s *Server) addImage(ctx context.Context, wanted newImage) (record *index.Record, added bool, err error) {
	claim, err := s.originals.Claim(ctx, wanted.hash)
	if err != nil {
		return nil, false, err
	}
	defer claim.Release()
	record, elsewhere, err := s.recordOf(ctx, wanted.hash)
	if err != nil {
		return nil, false, err
	}
	format := pixels.Format("")
	if added = record == nil; added {
		picture, err := s.picture(ctx, wanted.data)
		if err != nil {
			return nil, false, err
		}
		format = picture.Format
	}
	if !elsewhere {
		if err := s.keepUpload(ctx, claim, wanted, record, format); err != nil {
			return nil, false, err
		}
	}
	if record, _, err = s.recordOf(ctx, wanted.hash); err == nil && record == nil {
		err = errors.New("add upload: the image is not in the library afterwards")
	}
	if err == nil && len(wanted.tags) > 0 {
		if err = index.Tag(ctx, s.options.Library, []index.ID{record.ID}, wanted.tags...); err == nil {
			record, _, err = s.recordOf(ctx, wanted.hash)
		}
	}
	if err != nil || record == nil {
		return nil, false, errors.Join(err, ctx.Err())
	}
	return record, added, nil
}

// recordOf gives the record with some content, or nil, and whether it has its
// original at a place that is not the server's.
func (s *Server) recordOf(ctx context.Context, hash index.Hash) (record *index.Record, elsewhere bool, err error) {
	err = s.withReader(ctx, func(reader index.Reader) error {
		found, err := index.One(reader.RecordsByHash(ctx, []index.Hash{hash}))
		if err != nil || found == nil {
			return err
		}
		record = found
		if slices.ContainsFunc(found.Files, s.isUpload) {
			return nil
		}
		file, err := reader.OpenOriginal(ctx, found.ID)
		if err != nil {
			return nil // it is to be kept again
		}
		elsewhere = true
		return file.Close()
	})
	return record, elsewhere, err
}

// keepUpload keeps an upload's file and brings it into the library. known is the
// record that it has already, or nil.
func (s *Server) keepUpload(ctx context.Context, claim *originals.Claim, wanted newImage, known *index.Record, format pixels.Format) error {
	// Nothing is to be kept for a library that cannot be written to.
	if _, err := s.options.Library.Write(ctx, index.Batch{}); err != nil {
		return fmt.Errorf("add upload: %w", err)
	}
	path, err := claim.Keep(wanted.data, s.extensionOf(known, format))
	if err == nil && !s.unchanged(known, path, wanted.name) {
		err = s.ingestUpload(ctx, path, s.nameFor(known, path, wanted.name))
	}
	named, settled := s.settle(claim, wanted.hash, path)
	switch {
	case named && known == nil:
		return nil // whatever happened afterwards, it is in
	case err == nil && settled != nil:
		return settled
	case err == nil && !named:
		return errors.New("add upload: the file is not in the library afterwards")
	}
	return err
}

// extensionOf gives the extension of a record's original, or that of a new one.
func (s *Server) extensionOf(known *index.Record, format pixels.Format) string {
	if known != nil {
		format = pixels.Format(known.Format)
		if at := slices.IndexFunc(known.Files, s.isUpload); at >= 0 {
			return strings.TrimPrefix(filepath.Ext(known.Files[at].Path), ".")
		}
	}
	if format == "" {
		return "image"
	}
	return string(format)
}

// unchanged reports whether the record has a file already, as it is now and with a
// name, if there is one to be had.
func (s *Server) unchanged(known *index.Record, path, name string) bool {
	stat, err := os.Lstat(path)
	if known == nil || err != nil {
		return false
	}
	now := index.File{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}
	return slices.ContainsFunc(known.Files, func(file index.File) bool {
		return file.SameContent(now) && (file.Name != "" || name == "")
	})
}

// nameFor keeps the name that a file was first uploaded under.
func (s *Server) nameFor(known *index.Record, path, name string) string {
	if known != nil {
		for _, file := range known.Files {
			if file.Path == path && file.Name != "" {
				return file.Name
			}
		}
	}
	return name
}

func (s *Server) ingestUpload(ctx context.Context, path, name string) error {
	options := ingest.Options{
		Paths: []string{path}, Include: []string{"*"}, Names: map[string]string{path: name}, Captions: s.options.Captions, Logger: s.options.Logger,
	}
	summary, err := s.options.Ingester.Ingest(ctx, options)
	switch {
	case err != nil:
		return fmt.Errorf("ingest upload: %w", err)
	case ctx.Err() != nil:
		return ctx.Err()
	case len(summary.Failures) > 0:
		return problem.New(problem.InvalidImage, summary.Failures[0].Reason)
	}
	return nil
}

// settle looks whether a record names a kept file, and deletes one that none does.
// Where that cannot be told, because nobody knows what the last commit did, the
// file stays pending, and the next start of the server settles it.
func (s *Server) settle(claim *originals.Claim, hash index.Hash, path string) (named bool, err error) {
	// The request may be over; what it did is not.
	ctx := context.Background()
	_, err = s.options.Library.Write(ctx, index.Batch{Resolved: []string{path}})
	if err != nil {
		return false, fmt.Errorf("add upload: %w", err)
	}
	err = s.withReader(ctx, func(reader index.Reader) error {
		record, err := index.One(reader.RecordsByHash(ctx, []index.Hash{hash}))
		named = record != nil && slices.Contains(record.Paths(), path)
		return err
	})
	if err != nil {
		return false, err
	}
	if named {
		err = claim.Settle()
	} else {
		err = claim.Discard(path)
	}
	if err != nil {
		s.options.Logger.Warn("upload not settled", logError, err)
	}
	return named, nil
}

// isUpload reports whether a file is one that the server keeps.
func (s *Server) isUpload(file index.File) bool {
	return s.originals != nil && s.originals.Contains(file.Path)
}

// removeRecord removes a record, and after that its kept original, which is the
// server's own; the user's files stay.
func (s *Server) removeRecord(ctx context.Context, id index.ID) error {
	record, err := s.recordWith(ctx, id)
	if err != nil {
		return err
	}
	if s.originals == nil {
		return index.Remove(ctx, s.options.Library, id)
	}
	claim, err := s.originals.Claim(ctx, record.Hash)
	if err != nil {
		return err
	}
	defer claim.Release()
	if record, err = s.recordWith(ctx, id); err != nil { // it may have got a file meanwhile
		return err
	}
	if err := claim.Pend(); err != nil {
		return fmt.Errorf("remove record: %w", err)
	}
	if err := index.Remove(ctx, s.options.Library, id); err != nil {
		// Pending, unless nothing was written for certain.
		if !errors.Is(err, index.ErrWriter) {
			err = errors.Join(err, claim.Settle())
		}
		return fmt.Errorf("remove record: %w", err)
	}
	if err := claim.Discard(record.Paths()...); err != nil {
		s.options.Logger.Warn("uploaded file not deleted", logError, err)
	}
	return nil
}

func (s *Server) recordWith(ctx context.Context, id index.ID) (record *index.Record, err error) {
	err = s.withReader(ctx, func(reader index.Reader) error {
		record, err = recordIn(ctx, reader, id)
		return err
	})
	return record, err
}
