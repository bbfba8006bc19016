package index

import (
	"time"

	"mekiki/embed"
)

// Batch is a set of changes that become durable and visible together, or not
// at all. They apply in the order of the fields here. A change of a record that there is not
// fails the batch with [ErrNotFound]; removing one, or a path that no record has, does
// nothing. A batch that changes nothing need not be a commit.
type Batch struct {
	// Puts are new records. One whose content the library has already only
	// adds its files and tags to the existing record, and captions and vectors where
	// that has none. A text with the ExternalID of another takes the place of that as
	// an image does by [Put.Replaces].
	Puts []Put
	// Attach names files that hold the content of existing records: new
	// copies, moved files, or new stamps of known files.
	Attach []Attach
	// Detach names paths that are gone or hold other content now. An image
	// that loses its last path is removed, a text stays; unless Final, what people gave
	// the image is kept for [KeptFor]. Failures of the paths are forgotten.
	Detach []string
	// Final says that a person takes the paths of Detach out: nothing is kept of
	// the records that lose their last path, nor of those that lost it before.
	Final bool
	// Vectors are vectors and tokens of existing records in some space.
	Vectors []Vectors
	// Captions replace the captions of existing records.
	Captions []CaptionChange
	// OCR replaces what is known of the words in existing pictures.
	OCR []OCRChange
	// Metadata replaces what existing records' files say about themselves.
	Metadata []MetadataChange
	// Tags add and remove tags of existing records.
	Tags []TagChange
	// Given changes what else people gave existing records.
	Given []GivenChange
	// Remove deletes records, whatever their paths.
	Remove []ID
	// Purge deletes records as Remove does, and remembers of images that a person did so, for [Reader.Purged]. A later
	// put of the content brings it in all the same, and ends that.
	Purge []ID
	// Failures are files that could not be indexed.
	Failures []Failure
	// Resolved are paths whose failures are to be forgotten.
	Resolved []string
	// SaveSearches are searches to keep by name, in place of those that have the names.
	SaveSearches []SavedSearch
	// DropSearches are names of saved searches to forget.
	DropSearches []string
}

// Put is one new record with everything that belongs to it.
type Put struct {
	// Record is written as it is, but for ID, Added and Sequence, which the
	// library sets, and Given, which people do.
	Record Record
	// Vectors are the record's vectors and image tokens; its ID is ignored.
	// They may be empty, and follow later through Batch.Vectors.
	Vectors Vectors
	// Thumbnail is a JPEG; it may be nil, and is then made when first asked for.
	Thumbnail []byte
	// Replaces is the content that the put's files held before and that no file
	// holds any more. The record of that content becomes this one: it keeps its
	// ID, its tags and when it was added, and gets all the rest, the files
	// included, from the put. Where there is no such record, what is kept of the
	// content goes to the new one; where the library has the put's own content
	// already, nothing is replaced. Zero means none.
	Replaces Hash
}

// Vectors are the vectors of one record in one space, and its image tokens.
type Vectors struct {
	ID ID
	// Space must be one of the library's spaces.
	Space embed.Space
	// Parts are unit rows: Space.Parts of them for an image, one for a text.
	Parts embed.Parts
	// Tokens are the image tokens as embed.Pack packs them; empty when they
	// are not kept.
	Tokens []byte
}

// Attach adds one file to a record, and takes its path from the record that had it, as
// Batch.Detach does. A known file keeps its place, and its name where it comes with none;
// a failure of the path is forgotten.
type Attach struct {
	ID   ID
	File File
	// First makes the file the first of the record's.
	First bool
}

// CaptionChange replaces a record's captions.
type CaptionChange struct {
	ID       ID
	Captions []Caption
}

// MetadataChange replaces a record's metadata.
type MetadataChange struct {
	ID       ID
	Metadata Metadata
	// Version is the version of the reader, as in Record.MetadataVersion.
	Version int
}

// TagChange adds and removes tags of one record. Removing ignores case, and wins.
type TagChange struct {
	ID          ID
	Add, Remove []string
	// Exactly says that the record has the tags of Add and no others afterwards.
	Exactly bool
}

// WriteResult says what a batch did.
type WriteResult struct {
	// IDs are the records of Batch.Puts, in order: new or existing ones.
	IDs []ID
	// Sequence is the commit's number.
	Sequence uint64
	// Removed counts the records that are gone.
	Removed int
	// Replaced counts the images that became another content's, see
	// [Put.Replaces].
	Replaced int
}

// SpaceState is one space of the library and how full it is.
type SpaceState struct {
	// Space is what makes vectors comparable.
	Space embed.Space
	// Number is the space's number on disk, never reused.
	Number int
	// Serving says whether searches use it; exactly one space serves.
	Serving bool
	// Previous says whether Rollback would go back to it.
	Previous bool
	// Records counts the records that have vectors in it, of Total records.
	Records, Total int
	// Added is when the space was added.
	Added time.Time
}

// Role says in a word what a space is to searches: serving, previous or filling.
func (s SpaceState) Role() string {
	switch {
	case s.Serving:
		return "serving"
	case s.Previous:
		return "previous"
	}
	return "filling"
}
