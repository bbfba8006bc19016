package server

import (
	"context"
	"iter"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/local"
	"mekiki/search"
	"os"
)

// Searcher answers questions. *search.Searcher is one.
type Searcher interface {
	Search(ctx context.Context, request search.Request) (search.Response, error)
	Stream(ctx context.Context, request search.Request) iter.Seq2[search.Response, error]
	Similar(ctx context.Context, request search.Request) (search.Response, error)
	Lookup(ctx context.Context, request search.LookupRequest) (search.LookupResponse, error)
	Duplicates(ctx context.Context, request search.DuplicatesRequest) (search.DuplicatesResponse, error)
}

// Snapshot is what the server reads of a library: one unchanging state of it.
// *local.Snapshot is one.
type Snapshot interface {
	Sequence() uint64
	Count(kind index.Kind) int
	Record(id index.ID) (*index.Record, bool)
	RecordByHash(hash index.Hash) (*index.Record, bool)
	Records(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error)
	All() iter.Seq[*index.Record]
	Facets(ctx context.Context, filter index.Filter) (index.Facets, error)
	Failures() []index.Failure
	Thumbnail(ctx context.Context, id index.ID) ([]byte, error)
	OpenOriginal(id index.ID) (*os.File, error)
	Close() error
}

// Library is what the server does with a library; [LibraryOf] makes one of
// *local.Library.
type Library interface {
	// Snapshot gives the present state; the caller closes it.
	Snapshot() (Snapshot, error)
	Write(ctx context.Context, batch index.Batch) (index.WriteResult, error)
	Tag(ctx context.Context, ids []index.ID, tags ...string) error
	Untag(ctx context.Context, ids []index.ID, tags ...string) error
	Remove(ctx context.Context, ids ...index.ID) error
}

// Ingester brings things into the library; [IngesterOf] makes one.
type Ingester interface {
	// Ingest brings in files until it is done or its context ends.
	Ingest(ctx context.Context, options ingest.Options) (ingest.Summary, error)
	// AddTexts brings in texts and gives their records, in order.
	AddTexts(ctx context.Context, texts []ingest.Text) ([]index.ID, error)
}

// LibraryOf makes a Library of an index.
func LibraryOf(library *local.Library) Library { return indexLibrary{library} }

type indexLibrary struct{ *local.Library }

func (l indexLibrary) Snapshot() (Snapshot, error) {
	snapshot := l.Library.Snapshot()
	if err := snapshot.Err(); err != nil {
		return nil, err
	}
	return snapshot, nil
}

// IngesterOf makes an Ingester that reads with engine into library. imageSize is
// the side in pixels that the model reads, as in [ingest.Options].
func IngesterOf(library *local.Library, engine ingest.Engine, imageSize int) Ingester {
	return indexIngester{library, engine, imageSize}
}

type indexIngester struct {
	library   *local.Library
	engine    ingest.Engine
	imageSize int
}

func (i indexIngester) Ingest(ctx context.Context, options ingest.Options) (ingest.Summary, error) {
	options.ImageSize = i.imageSize
	return ingest.Run(ctx, i.library, i.engine, options)
}

func (i indexIngester) AddTexts(ctx context.Context, texts []ingest.Text) ([]index.ID, error) {
	return ingest.AddTexts(ctx, i.library, i.engine, texts)
}
