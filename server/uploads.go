package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest"
)

// addRecord adds an uploaded image. Its file is kept under the hash of its
// content, so that nothing of the client's ends up in a path.
func (s *Server) addRecord(c echo.Context) error {
	if s.options.Ingester == nil || s.options.UploadFolder == "" {
		return newProblem(CodeUnsupported, "this server takes no uploads")
	}
	var details struct {
		Tags []string `json:"tags"`
	}
	given, err := s.readRequest(c, &details)
	if err != nil {
		return err
	}
	tags, err := cleanTags("request.tags", details.Tags)
	if err != nil {
		return err
	}
	return s.compute(c, func(ctx context.Context) error {
		id, added, err := s.addImage(ctx, given.image)
		if err != nil {
			return err
		}
		if len(tags) > 0 {
			if err := s.options.Library.Tag(ctx, []index.ID{id}, tags...); err != nil {
				return fmt.Errorf("tag upload: %w", err)
			}
		}
		c.Response().Header().Set(echo.HeaderLocation, "/api/v1/records/"+id.String())
		if added {
			return s.sendRecord(c, http.StatusCreated, id)
		}
		return s.sendRecord(c, http.StatusOK, id)
	})
}

// addImage brings an image into the library and says whether it is new.
func (s *Server) addImage(ctx context.Context, data []byte) (id index.ID, added bool, err error) {
	hash := index.Hash(sha256.Sum256(data))
	if id, err := s.recordOf(hash); err != nil || id != 0 {
		return id, false, err
	}
	picture, err := s.picture(ctx, data)
	if err != nil {
		return 0, false, err
	}
	path, err := s.keepUpload(hash, picture.Format, data)
	if err != nil {
		return 0, false, err
	}
	summary, err := s.options.Ingester.Ingest(ctx, ingest.Options{
		Paths: []string{path}, Include: []string{"*"}, Captions: s.options.Captions, Logger: s.options.Logger,
	})
	if err == nil {
		if id, err = s.recordOf(hash); err == nil && id != 0 {
			return id, true, nil
		}
	}
	if removeErr := os.Remove(path); removeErr != nil {
		s.options.Logger.Warn("rejected upload not deleted", logError, removeErr)
	}
	switch {
	case err != nil:
		return 0, false, fmt.Errorf("ingest upload: %w", err)
	case ctx.Err() != nil:
		return 0, false, ctx.Err()
	case len(summary.Failures) > 0:
		return 0, false, newProblem(CodeInvalidImage, summary.Failures[0].Reason)
	}
	return 0, false, errors.New("ingest upload: the image is not in the library afterwards")
}

// recordOf gives the record with some content, or zero.
func (s *Server) recordOf(hash index.Hash) (id index.ID, err error) {
	err = s.withSnapshot(func(snapshot Snapshot) error {
		if record, found := snapshot.RecordByHash(hash); found {
			id = record.ID
		}
		return nil
	})
	return id, err
}

// keepUpload writes a file whole or not at all: beside its place, synced, then
// renamed.
func (s *Server) keepUpload(hash index.Hash, format pixels.Format, data []byte) (string, error) {
	name := hash.String()
	folder := filepath.Join(s.options.UploadFolder, name[:2])
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", fmt.Errorf("keep upload: %w", err)
	}
	extension := string(format)
	if extension == "" {
		extension = "image"
	}
	path := filepath.Join(folder, name+"."+extension)
	file, err := os.CreateTemp(folder, ".upload-*")
	if err != nil {
		return "", fmt.Errorf("keep upload: %w", err)
	}
	_, writeErr := file.Write(data)
	err = errors.Join(writeErr, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("keep upload: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return path, nil
}
