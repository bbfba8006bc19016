package server

import (
	"context"
	"iter"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
	"mekiki/index/ingest/textrecord"
	"mekiki/search"
	"mekiki/search/ask"
	"mekiki/search/contract"
	"mekiki/search/lookup"
)

// Searcher answers questions. *search.Searcher is one.
type Searcher interface {
	Search(ctx context.Context, request contract.Request) (contract.Response, error)
	Stream(ctx context.Context, request contract.Request) iter.Seq2[contract.Response, error]
	Similar(ctx context.Context, request contract.Request) (contract.Response, error)
	Lookup(ctx context.Context, request lookup.Request) (lookup.Response, error)
	Locate(ctx context.Context, request search.LocateRequest) (search.LocateResponse, error)
	Duplicates(ctx context.Context, request search.DuplicatesRequest) (search.DuplicatesResponse, error)
}

// Asker answers questions about pictures with a second stage. *ask.Asker is one.
type Asker interface {
	Model() embed.AnswerModel
	Records(ctx context.Context, reader index.Reader, ids []index.ID) ([]ask.Picture, []error, error)
	Image(ctx context.Context, image *pixels.Image, hash index.Hash) (ask.Picture, error)
	Answer(ctx context.Context, picture ask.Picture, question ask.Question, written func(piece string) error) (ask.Answer, error)
}

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
