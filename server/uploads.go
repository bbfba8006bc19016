package server

import (
	"context"
	"crypto/sha256"
	"net/http"

	"github.com/labstack/echo/v4"

	"mekiki/index"
	"mekiki/index/originals"
	"mekiki/server/problem"
	"mekiki/server/uploads"
	"mekiki/server/wire"
)

// addRecord adds an uploaded image. Its file is kept under the hash of its
// content, so that nothing of the client's ends up in a path; the name it came
// with is kept in the record.
func (s *Server) addRecord(c echo.Context) error {
	if !s.uploadStore.Takes() || s.options.NoUploads {
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
	wanted := uploads.Image{Data: given.image, Hash: sha256.Sum256(given.image)}
	if wanted.Tags, err = wire.CleanTags("request.tags", details.Tags); err != nil {
		return err
	}
	folder, err := uploads.CleanFolder("request.folder", details.Folder)
	if err != nil {
		return err
	}
	wanted.Name = uploads.NameOf(folder, given.fileName, wanted.Hash)
	var record *index.Record
	var added bool
	err = s.compute(c, func(ctx context.Context) error {
		record, added, err = s.uploadStore.Add(ctx, wanted)
		return err
	})
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/api/v1/records/"+record.ID.String())
	if added {
		return sendJSON(c, http.StatusCreated, wire.RecordOf(record))
	}
	return sendJSON(c, http.StatusOK, wire.RecordOf(record))
}

// newUploads makes the store of uploaded pictures.
func (s *Server) newUploads() *uploads.Store {
	options := uploads.Options{
		Library: s.options.Library, Read: s.withReader, Record: s.recordWith, Decode: s.picture, Captions: s.options.Captions, Logger: s.options.Logger,
	}
	if s.options.UploadFolder != "" {
		options.Originals = originals.New(s.options.UploadFolder)
	}
	if s.options.Ingester != nil {
		options.Ingest = s.options.Ingester.Ingest
	}
	return uploads.New(options)
}

func (s *Server) recordWith(ctx context.Context, id index.ID) (record *index.Record, err error) {
	err = s.withReader(ctx, func(reader index.Reader) error {
		record, err = recordIn(ctx, reader, id)
		return err
	})
	return record, err
}
