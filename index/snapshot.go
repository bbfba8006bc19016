package index

import (
	"context"
	"io"
	"iter"
	"os"

	"mekiki/embed"
)

// Snapshot is the library as it was at one commit. It never changes, its
// methods may be called from any goroutine, and none of them waits for a
// writer. Close it when done.
type Snapshot struct{}

// Close lets go of the files that the snapshot holds open.
func (s *Snapshot) Close() error { return errPending }

// Sequence is the number of the commit that the snapshot shows.
func (s *Snapshot) Sequence() uint64 { return 0 }

// Space is the serving space; false while the library has none.
func (s *Snapshot) Space() (embed.Space, bool) { return embed.Space{}, false }

// Spaces lists all spaces.
func (s *Snapshot) Spaces() []SpaceState { return nil }

// Count gives the number of records of a kind; zero counts all.
func (s *Snapshot) Count(kind Kind) int { return 0 }

// Record gives one record; false when there is none.
func (s *Snapshot) Record(id ID) (*Record, bool) { return nil, false }

// RecordByPath gives the record that a file holds.
func (s *Snapshot) RecordByPath(path string) (*Record, bool) { return nil, false }

// RecordByHash gives the record with this content.
func (s *Snapshot) RecordByHash(hash Hash) (*Record, bool) { return nil, false }

// RecordByExternalID gives the text record with the user's own id.
func (s *Snapshot) RecordByExternalID(id string) (*Record, bool) { return nil, false }

// Records lists records that pass the filter, and how many there are in all.
func (s *Snapshot) Records(ctx context.Context, filter Filter, page Page) ([]*Record, int, error) {
	return nil, 0, errPending
}

// All goes through every record in order of ID.
func (s *Snapshot) All() iter.Seq[*Record] { return func(func(*Record) bool) {} }

// Matches reports whether the record passes the filter.
func (s *Snapshot) Matches(id ID, filter Filter) bool { return false }

// Failures lists the files that could not be indexed, by path.
func (s *Snapshot) Failures() []Failure { return nil }

// Failure gives what is known of one path that failed.
func (s *Snapshot) Failure(path string) (Failure, bool) { return Failure{}, false }

// NearestImages finds the k images nearest to any of the query's vectors: one
// or more unit rows of the serving space's width, one after the other.
func (s *Snapshot) NearestImages(ctx context.Context, query []float32, k int, filter Filter) ([]Neighbour, error) {
	return nil, errPending
}

// NearestTexts finds the k texts nearest to any of the query's vectors.
func (s *Snapshot) NearestTexts(ctx context.Context, query []float32, k int, filter Filter) ([]Neighbour, error) {
	return nil, errPending
}

// Keyword finds the k records that match the words best.
func (s *Snapshot) Keyword(ctx context.Context, query KeywordQuery, k int, filter Filter) ([]KeywordHit, error) {
	return nil, errPending
}

// KeywordCount counts the records that match the words.
func (s *Snapshot) KeywordCount(ctx context.Context, query KeywordQuery, filter Filter) (int, error) {
	return 0, errPending
}

// Parts gives the record's vectors in the serving space. The error is
// [ErrNotFound] when it has none.
func (s *Snapshot) Parts(ctx context.Context, id ID) (embed.Parts, error) {
	return embed.Parts{}, errPending
}

// HasParts reports whether the record has vectors in a space of the library.
func (s *Snapshot) HasParts(id ID, space embed.Space) bool { return false }

// ImageTokens gives the record's image tokens in the serving space, unpacked.
// The error is [ErrNotFound] when they are not kept; then embed the original.
func (s *Snapshot) ImageTokens(ctx context.Context, id ID) (embed.ImageTokens, error) {
	return embed.ImageTokens{}, errPending
}

// Thumbnail gives a JPEG of the image. A thumbnail that is missing or damaged
// is made again from the original.
func (s *Snapshot) Thumbnail(ctx context.Context, id ID) ([]byte, error) { return nil, errPending }

// OpenOriginal opens the first of the record's files that is there and still
// has the size it was indexed with.
func (s *Snapshot) OpenOriginal(id ID) (*os.File, error) { return nil, errPending }

// Facets counts the records that pass the filter by value.
func (s *Snapshot) Facets(ctx context.Context, filter Filter) (Facets, error) {
	return Facets{}, errPending
}

// PerceptualNeighbours lists images whose perceptual hash differs from the
// record's in at most distance bits (0 to 64), nearest first, without itself.
func (s *Snapshot) PerceptualNeighbours(ctx context.Context, id ID, distance int) ([]PerceptualNeighbour, error) {
	return nil, errPending
}

// Export writes one JSON object a line for each record that passes the filter.
func (s *Snapshot) Export(ctx context.Context, w io.Writer, options ExportOptions) error {
	return errPending
}
