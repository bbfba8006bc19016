package index

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"mekiki/embed"
	"mekiki/internal/hint"
)

// A Source gives readers of a library.
type Source interface {
	// Reader gives the library as it is now, at one commit. The caller closes it. The
	// error is [ErrClosed] when the library is closed.
	Reader(ctx context.Context) (Reader, error)
}

// A Writer changes a library. Every method fails with the context's error if that has ended
// before, with [ErrClosed] once the library is closed, and leaves the library as it was.
type Writer interface {
	// Write applies a batch, all of it or nothing. When it returns without an error the
	// batch is durable, and readers taken from then on show it. After [ErrWriter] only
	// opening the library again tells what was written.
	Write(ctx context.Context, batch Batch) (WriteResult, error)
	// AddSpace adds a vector space beside those there are; the first one serves at once.
	// Adding one that exists does nothing. The error of this and the next ones for a space
	// that cannot be, or is not there, or must not be dropped, is [ErrSpace].
	AddSpace(ctx context.Context, space embed.Space) error
	// ServeSpace makes searches use a space; the one that served is kept.
	ServeSpace(ctx context.Context, space embed.Space) error
	// RollbackSpace goes back to the space that served before.
	RollbackSpace(ctx context.Context) error
	// DropSpace deletes a space that does not serve, with its vectors.
	DropSpace(ctx context.Context, space embed.Space) error
}

// A Library is read and written. Its methods may be called from any goroutine.
type Library interface {
	Source
	Writer
}

// Located is a library that lies in a folder of this machine, which is never indexed.
type Located interface {
	// Folder is its absolute path.
	Folder() string
}

// A Reader shows a library as it was at one commit, and never changes. It is asked in
// batches: what it gives for several records is in the order of the question. Its methods
// may be called from any goroutine, and none waits for a writer. The records that it gives
// are shared: read them, never write to them. Every method fails with the context's error
// once that has ended. Close readers before the library: one that is still open answers as
// before, or with [ErrClosed].
type Reader interface {
	// Close lets go of what the reader holds. Closing twice does nothing.
	Close() error
	// Sequence is the number of the commit: equal numbers mean equal contents.
	Sequence() uint64
	// Space is the space that serves; false while there is none. Spaces lists all.
	Space() (embed.Space, bool)
	Spaces() []SpaceState
	// Count is the number of records of a kind; zero counts all.
	Count(kind Kind) int

	// Records gives records by ID; nil for those that there are not.
	Records(ctx context.Context, ids []ID) ([]*Record, error)
	// RecordsByPath gives the records that hold files, by their absolute, clean paths;
	// nil where none does.
	RecordsByPath(ctx context.Context, paths []string) ([]*Record, error)
	// RecordsByHash gives the records of contents; nil where there is none.
	RecordsByHash(ctx context.Context, hashes []Hash) ([]*Record, error)
	// Purged reports which contents were images that a person removed for good, and are not there.
	Purged(ctx context.Context, hashes []Hash) ([]bool, error)
	// List gives one page of the records that pass a filter, and how many pass it in all.
	List(ctx context.Context, filter Filter, page Page) ([]*Record, int, error)
	// Layout gives the images that pass a filter, in an order, as columns.
	Layout(ctx context.Context, filter Filter, order Order) (Layout, error)
	// All goes through every record in order of ID. An error ends it.
	All(ctx context.Context) iter.Seq2[*Record, error]
	// Facets counts the records that pass a filter, by value.
	Facets(ctx context.Context, filter Filter) (Facets, error)

	// Nearest gives the k records of a kind with the largest cosine between any row of
	// the query (unit rows of the serving space's width, one after the other) and any of
	// their vectors, best first; equal scores are in order of ID.
	Nearest(ctx context.Context, kind Kind, query []float32, k int, filter Filter) ([]Neighbour, error)
	// Keyword gives the k records that match words best; equal scores are in order of ID.
	// Should the words have missed a commit, records that have changed since then may not
	// be found until the next one; no other record is missed.
	Keyword(ctx context.Context, query KeywordQuery, k int, filter Filter) ([]KeywordHit, error)

	// Spellings gives, for each of some words, those of the records' words that it may have been meant as, in lower case and the
	// likeliest first: they differ by a letter, or by two in a word of eight letters and more, and begin alike. There are none for a
	// word that records have.
	Spellings(ctx context.Context, words []string) ([][]string, error)

	// Parts gives the vectors of records in the serving space; none for a record that has
	// none, or whose vectors are damaged.
	Parts(ctx context.Context, ids []ID) ([]embed.Parts, error)
	// HaveParts reports which records have vectors in a space.
	HaveParts(ctx context.Context, space embed.Space, ids []ID) ([]bool, error)
	// Tokens gives the image tokens of records in the serving space; none for a record
	// whose tokens are not kept or are damaged: then embed its original.
	Tokens(ctx context.Context, ids []ID) ([]embed.ImageTokens, error)

	// SavedSearches lists the searches that were saved, by name.
	SavedSearches(ctx context.Context) ([]SavedSearch, error)

	// Failures lists the files that could not be indexed, by path.
	Failures(ctx context.Context) ([]Failure, error)
	// FailuresOf gives what is known of paths that failed; nil for those that did not.
	FailuresOf(ctx context.Context, paths []string) ([]*Failure, error)

	// Thumbnail gives a JPEG of an image, its longest side [ThumbnailSide] pixels at most.
	Thumbnail(ctx context.Context, id ID) ([]byte, error)
	// OpenOriginal opens a record's content. What it gives is the content, or the error
	// is [ErrNotFound].
	OpenOriginal(ctx context.Context, id ID) (io.ReadSeekCloser, error)
}

// One gives what was asked of one record: One(reader.Records(ctx, []ID{id})).
func One[T any](found []T, err error) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	if len(found) != 1 {
		return none, fmt.Errorf("got %d answers about one record", len(found))
	}
	return found[0], nil
}

// Tag adds tags to records.
func Tag(ctx context.Context, w Writer, ids []ID, tags ...string) error {
	return changeTags(ctx, w, ids, tags, nil)
}

// Untag removes tags from records, whatever their case.
func Untag(ctx context.Context, w Writer, ids []ID, tags ...string) error {
	return changeTags(ctx, w, ids, nil, tags)
}

func changeTags(ctx context.Context, w Writer, ids []ID, add, remove []string) error {
	var batch Batch
	for _, id := range ids {
		batch.Tags = append(batch.Tags, TagChange{ID: id, Add: add, Remove: remove})
	}
	_, err := w.Write(ctx, batch)
	return err
}

// Remove deletes records. The files they came from are not touched.
func Remove(ctx context.Context, w Writer, ids ...ID) error {
	_, err := w.Write(ctx, Batch{Remove: ids})
	return err
}

// Purge deletes records for good: indexing their files does not bring them back. The files are not touched.
func Purge(ctx context.Context, w Writer, ids ...ID) error {
	_, err := w.Write(ctx, Batch{Purge: ids})
	return err
}

// Trash puts records in the trash, where searches and lists do not find them and from
// where [Untrash] brings them back, until they have been there for [TrashedFor]. Those
// that are there stay as long as they were to.
func Trash(ctx context.Context, library Library, now time.Time, ids ...ID) error {
	return changeTrash(ctx, library, ids, func(r *Record) (time.Time, bool) { return now.UTC(), !r.InTrash() })
}

// Untrash takes records out of the trash, as they were.
func Untrash(ctx context.Context, library Library, ids ...ID) error {
	return changeTrash(ctx, library, ids, func(r *Record) (time.Time, bool) { return time.Time{}, r.InTrash() })
}

// changeTrash sets the times of the records that are to change.
func changeTrash(ctx context.Context, library Library, ids []ID, change func(*Record) (trashed time.Time, changes bool)) error {
	reader, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	records, err := reader.Records(ctx, ids)
	if err != nil {
		return err
	}
	var batch Batch
	for i, record := range records {
		if record == nil {
			return fmt.Errorf("record %d: %w", ids[i], ErrNotFound)
		}
		if trashed, changes := change(record); changes {
			batch.Given = append(batch.Given, GivenChange{ID: record.ID, Set: GivenTrashed, To: Given{Trashed: trashed}})
		}
	}
	if len(batch.Given) == 0 {
		return nil
	}
	_, err = library.Write(ctx, batch)
	return err
}

// InTrashBefore lists the records that were put in the trash before a moment.
func InTrashBefore(ctx context.Context, reader Reader, moment time.Time) ([]*Record, error) {
	records, _, err := reader.List(ctx, Filter{Trash: ChoiceOnly, Hidden: ChoiceInclude}, Page{})
	if err != nil {
		return nil, fmt.Errorf("list the trash: %w", err)
	}
	return slices.DeleteFunc(records, func(r *Record) bool { return !r.Trashed().Before(moment) }), nil
}

// PurgeTrash removes for good what was put in the trash before a moment, and gives how many
// records that were. The files they came from are not touched.
func PurgeTrash(ctx context.Context, library Library, before time.Time) (int, error) {
	reader, err := library.Reader(ctx)
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	records, err := InTrashBefore(ctx, reader, before)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	return len(records), Purge(ctx, library, IDs(records)...)
}

// PrepareSpace sees to it that a library has a space. One that has others gets it only
// beside them; otherwise the error is [ErrSpace].
func PrepareSpace(ctx context.Context, library Library, space embed.Space, beside bool) error {
	reader, err := library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	spaces := reader.Spaces()
	for _, state := range spaces {
		if state.Space == space {
			return nil
		}
	}
	if len(spaces) == 0 || beside {
		return library.AddSpace(ctx, space)
	}
	return hint.Wrap(fmt.Errorf("%w: the library was made with model %.12s, not %.12s", ErrSpace, spaces[0].Space.Fingerprint, space.Fingerprint),
		"name the library's model with --model, or add this one beside it with: mekiki index --new-space")
}
