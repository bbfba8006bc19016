package server

import (
	"context"

	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
	"mekiki/index/ingest/textrecord"
	"mekiki/index/originals"
	"mekiki/server/uploads"
)

// Ingester brings things into the library; [IngesterOf] makes one.
type Ingester interface {
	// Ingest brings in files until it is done or its context ends.
	Ingest(ctx context.Context, options ingest.Options) (report.Summary, error)
	// AddTexts brings in texts and gives their records, in order.
	AddTexts(ctx context.Context, texts []textrecord.Text) ([]index.ID, error)
}

// IngesterOf makes an Ingester that reads with engine into library. imageSize is
// the side in pixels that the model reads, as in [ingest.Options].
func IngesterOf(library index.Library, engine ingest.Engine, imageSize int) Ingester {
	return libraryIngester{library, engine, imageSize}
}

type libraryIngester struct {
	library   index.Library
	engine    ingest.Engine
	imageSize int
}

func (i libraryIngester) Ingest(ctx context.Context, options ingest.Options) (report.Summary, error) {
	options.ImageSize = i.imageSize
	return ingest.Run(ctx, i.library, i.engine, options)
}

func (i libraryIngester) AddTexts(ctx context.Context, texts []textrecord.Text) ([]index.ID, error) {
	return textrecord.Add(ctx, i.library, i.engine, texts)
}

// newUploads makes the store of uploaded pictures.
func (s *Server) newUploads() *uploads.Store {
	options := uploads.Options{
		Library: s.library, Read: s.library.Read, Record: s.library.Record, Decode: s.pictures.Decode, Captions: s.options.Captions, Logger: s.options.Logger,
	}
	if options.Keeper, options.Temporary = s.options.UploadKeeper, s.options.TemporaryFolder; options.Keeper == nil && s.options.UploadFolder != "" {
		options.Originals = originals.New(s.options.UploadFolder)
	}
	if s.options.Ingester != nil {
		options.Ingest = s.options.Ingester.Ingest
	}
	return uploads.New(options)
}
