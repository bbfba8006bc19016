package search

import (
	"context"
	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/local"
	"os"
)

// Snapshot is what search reads of a library: one unchanging state of it.
// *local.Snapshot is one. All methods are safe for concurrent use.
type Snapshot interface {
	// Space is the space of the vectors that are served; false without one.
	Space() (embed.Space, bool)
	// Sequence numbers the state: equal numbers mean equal contents.
	Sequence() uint64
	// Count gives the number of records of a kind.
	Count(kind index.Kind) int
	// Record gives one record; false when there is none.
	Record(id index.ID) (*index.Record, bool)
	// Records lists records that pass a filter, and how many there are.
	Records(ctx context.Context, filter index.Filter, page index.Page) ([]*index.Record, int, error)
	// NearestImages gives the k images with the largest cosine between any of
	// the query's rows (a whole number of them, each as wide as the space)
	// and any of their parts, best first.
	NearestImages(ctx context.Context, query []float32, k int, filter index.Filter) ([]index.Neighbour, error)
	// NearestTexts does the same for text records.
	NearestTexts(ctx context.Context, query []float32, k int, filter index.Filter) ([]index.Neighbour, error)
	// Keyword gives the k records with the highest BM25 score, best first.
	Keyword(ctx context.Context, query index.KeywordQuery, k int, filter index.Filter) ([]index.KeywordHit, error)
	// Parts gives the vectors of a record.
	Parts(ctx context.Context, id index.ID) (embed.Parts, error)
	// ImageTokens gives what ITM reads of an image, or an error that wraps
	// index.ErrNotFound when the library does not keep them.
	ImageTokens(ctx context.Context, id index.ID) (embed.ImageTokens, error)
	// OpenOriginal opens the file of a record.
	OpenOriginal(id index.ID) (*os.File, error)
	// Close ends the use of the snapshot.
	Close() error
}

// Engine is what search needs of a model. *embed.Engine is one. All methods
// are safe for concurrent use.
type Engine interface {
	// Space is the space that the engine embeds into.
	Space() embed.Space
	// TextVectors embeds texts.
	TextVectors(ctx context.Context, texts []string) ([]embed.Vector, error)
	// ImageTokens reads pictures.
	ImageTokens(ctx context.Context, images []*pixels.Image) ([]embed.ImageTokens, error)
	// ImageParts embeds pictures that were read.
	ImageParts(ctx context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error)
	// TextInfo says how much of a text the model reads.
	TextInfo(text string) embed.TextInfo
	// MatchPairs matches the i-th picture with the i-th text.
	MatchPairs(ctx context.Context, tokens []embed.ImageTokens, texts []string) ([]embed.Match, error)
}

// Library gives snapshots. FromIndex makes one from an *local.Library.
type Library interface {
	// Snapshot gives the present state; the caller closes it.
	Snapshot() (Snapshot, error)
}

var (
	_ Snapshot = (*local.Snapshot)(nil)
	_ Engine   = (*embed.Engine)(nil)
)

// FromIndex makes a library on disk searchable.
func FromIndex(library *local.Library) Library { return indexLibrary{library} }

type indexLibrary struct{ library *local.Library }

// Snapshot gives the library's present state.
func (l indexLibrary) Snapshot() (Snapshot, error) {
	snapshot := l.library.Snapshot()
	if err := snapshot.Err(); err != nil {
		return nil, err
	}
	return snapshot, nil
}
