// Package uploads keeps uploaded pictures: the file under the hash of its content, the record in the library, each only
// with the other.
//
//	claim the content ─► write the file ─► index it ─► settle: the record names the file, or the file goes
package uploads

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/index/ingest/report"
	"mekiki/index/originals"
	"mekiki/internal/vfs"
	"mekiki/server/problem"
)

// Options say what a store works with; all but Originals, Keeper, Temporary and Captions are needed.
type Options struct {
	// Library holds the records; Read runs work on its present state, and Record gives one record, or a problem where
	// there is none.
	Library index.Library
	Read    func(ctx context.Context, work func(index.Reader) error) error
	Record  func(ctx context.Context, id index.ID) (*index.Record, error)
	// Ingest brings a file into the library.
	Ingest func(ctx context.Context, options ingest.Options) (report.Summary, error)
	// Originals are the files that are kept; nil means that none are taken, and records are removed without one.
	Originals *originals.Store
	// Keeper takes the place of Originals for a library of several servers. Temporary is the folder of temporary files; "" is
	// the system's.
	Keeper    Keeper
	Temporary string
	// Decode reads a picture within the limits of uploads.
	Decode func(ctx context.Context, data []byte) (*pixels.Image, error)
	// Captions is how many captions to write, as in [ingest.Options].
	Captions int
	// Logger gets what goes wrong with files after the answer is known.
	Logger *slog.Logger
}

// Store adds and removes uploaded pictures. Safe for concurrent use.
type Store struct {
	options Options
	// turns has the uploads of one picture wait for each other where a keeper keeps them: they would all make a file.
	turns *originals.Store
}

// New makes a store.
func New(options Options) *Store {
	return &Store{options, cmp.Or(options.Originals, originals.New(""))}
}

// Takes reports whether pictures can be added.
func (s *Store) Takes() bool {
	return (s.options.Originals != nil || s.options.Keeper != nil) && s.options.Ingest != nil
}

// Image is what an upload brings; Hash is that of Data.
type Image struct {
	Data []byte
	Hash index.Hash
	Name string // with its folder; may be ""
	Tags []string
}

// Add brings an image into the library and says whether it is new. When it
// returns without an error the record has an original that is on disk, whatever
// else was done about the same picture at the same time: all that goes through the
// claim of its content.
func (s *Store) Add(ctx context.Context, wanted Image) (record *index.Record, added bool, err error) {
	for attempt := 1; ; attempt++ {
		record, added, err = s.add(ctx, wanted)
		removed := s.options.Keeper != nil && errors.Is(err, index.ErrNotFound) // by another server, in between
		if !removed || attempt == sharedAttempts {
			return record, added, err
		}
	}
}

// add is one try to add an image.
func (s *Store) add(ctx context.Context, wanted Image) (record *index.Record, added bool, err error) {
	claim, err := s.turns.Claim(ctx, wanted.Hash)
	if err != nil {
		return nil, false, err
	}
	defer claim.Release()
	shared := s.options.Keeper != nil
	record, elsewhere, err := s.recordOf(ctx, wanted.Hash)
	if err != nil {
		return nil, false, err
	}
	var picture *pixels.Image
	if added = record == nil; added {
		if picture, err = s.options.Decode(ctx, wanted.Data); err != nil {
			return nil, false, err
		}
	}
	switch {
	case elsewhere:
	case shared:
		err = s.keepShared(ctx, wanted, record, picture)
	default:
		err = s.keepUpload(ctx, claim, wanted, record, picture)
	}
	if err != nil {
		return nil, false, err
	}
	record, readable, err := s.recordOf(ctx, wanted.Hash)
	switch {
	case err != nil:
	case shared && (record == nil || !readable):
		err = fmt.Errorf("add upload: %w: the image was removed meanwhile", index.ErrNotFound)
	case record == nil:
		err = errors.New("add upload: the image is not in the library afterwards")
	}
	if err == nil && record.InTrash() { // who brings it again wants it back
		if err = index.Untrash(ctx, s.options.Library, record.ID); err == nil {
			record, _, err = s.recordOf(ctx, wanted.Hash)
		}
	}
	if err == nil && len(wanted.Tags) > 0 {
		if err = index.Tag(ctx, s.options.Library, []index.ID{record.ID}, wanted.Tags...); err == nil {
			record, _, err = s.recordOf(ctx, wanted.Hash)
		}
	}
	if err == nil && record == nil {
		err = fmt.Errorf("add upload: %w: the image was removed meanwhile", index.ErrNotFound)
	}
	if err != nil {
		return nil, false, errors.Join(err, ctx.Err())
	}
	return record, added, nil
}

// recordOf gives the record with some content, or nil, and whether it has its
// original at a place that is not the server's.
func (s *Store) recordOf(ctx context.Context, hash index.Hash) (record *index.Record, elsewhere bool, err error) {
	err = s.options.Read(ctx, func(reader index.Reader) error {
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
// record that it has already, or nil, and picture what was decoded of it, or nil.
func (s *Store) keepUpload(ctx context.Context, claim *originals.Claim, wanted Image, known *index.Record, picture *pixels.Image) error {
	// Nothing is to be kept for a library that cannot be written to.
	if _, err := s.options.Library.Write(ctx, index.Batch{}); err != nil {
		return fmt.Errorf("add upload: %w", err)
	}
	path, err := claim.Keep(wanted.Data, s.extensionOf(known, picture))
	if err == nil && !s.unchanged(known, path, wanted.Name) {
		err = s.ingestUpload(ctx, path, s.nameFor(known, path, wanted.Name), wanted.Hash, picture)
	}
	named, settled := s.settle(claim, wanted.Hash, path)
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
func (s *Store) extensionOf(known *index.Record, picture *pixels.Image) string {
	format := pixels.Format("")
	if picture != nil {
		format = picture.Format
	}
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
func (s *Store) unchanged(known *index.Record, path, name string) bool {
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
func (s *Store) nameFor(known *index.Record, path, name string) string {
	if known != nil {
		for _, file := range known.Files {
			if file.Path == path && file.Name != "" {
				return file.Name
			}
		}
	}
	return name
}

func (s *Store) ingestUpload(ctx context.Context, path, name string, hash index.Hash, picture *pixels.Image) error {
	return s.ingestFile(ctx, path, hash, picture, ingest.Options{Names: map[string]string{path: name}})
}

// ingestFile brings one file into the library.
func (s *Store) ingestFile(ctx context.Context, path string, hash index.Hash, picture *pixels.Image, options ingest.Options) error {
	options.Again, options.Paths, options.Include, options.Captions, options.Logger = true, []string{path}, []string{"*"}, s.options.Captions, s.options.Logger
	options.Decoded = map[index.Hash]*pixels.Image{hash: picture}
	summary, err := s.options.Ingest(ctx, options)
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
func (s *Store) settle(claim *originals.Claim, hash index.Hash, path string) (named bool, err error) {
	// The request may be over; what it did is not.
	ctx := context.Background()
	_, err = s.options.Library.Write(ctx, index.Batch{Resolved: []string{path}})
	if err != nil {
		return false, fmt.Errorf("add upload: %w", err)
	}
	err = s.options.Read(ctx, func(reader index.Reader) error {
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
		s.options.Logger.Warn("upload not settled", "error", err)
	}
	return named, nil
}

// isUpload reports whether a file is one that the server keeps.
func (s *Store) isUpload(file index.File) bool {
	return s.options.Originals != nil && s.options.Originals.Contains(file.Path)
}

// RemoveAll removes records for good, as [index.Purge] does, and after that their kept originals, which are the server's own; the
// user's files stay. Those that were in the trash and have been taken out of it since stay too: who uploads a picture again
// wants it back.
func (s *Store) RemoveAll(ctx context.Context, records []*index.Record) error {
	var plain []*index.Record
	for _, record := range records {
		if !slices.ContainsFunc(record.Files, s.isUpload) {
			plain = append(plain, record)
			continue
		}
		if err := s.remove(ctx, record.ID, record.InTrash()); err != nil && problem.From(err).Code != problem.NotFound {
			return err
		}
	}
	left, err := s.leftInTrash(ctx, plain)
	if err != nil {
		return err
	}
	return index.Purge(ctx, s.options.Library, left...)
}

// leftInTrash leaves out the records that were in the trash and are not any more.
func (s *Store) leftInTrash(ctx context.Context, records []*index.Record) (left []index.ID, err error) {
	if len(records) == 0 {
		return nil, nil
	}
	err = s.options.Read(ctx, func(reader index.Reader) error {
		now, err := reader.Records(ctx, index.IDs(records))
		for i, record := range now {
			if record != nil && (record.InTrash() || !records[i].InTrash()) {
				left = append(left, record.ID)
			}
		}
		return err
	})
	return left, err
}

// remove removes a record and its kept original, or nothing where the record is to be in the trash and is not.
func (s *Store) remove(ctx context.Context, id index.ID, trashed bool) error {
	record, err := s.options.Record(ctx, id)
	if err != nil {
		return err
	}
	if s.options.Originals == nil {
		return index.Purge(ctx, s.options.Library, id)
	}
	claim, err := s.options.Originals.Claim(ctx, record.Hash)
	if err != nil {
		return err
	}
	defer claim.Release()
	if record, err = s.options.Record(ctx, id); err != nil || trashed && !record.InTrash() { // it may have got a file meanwhile
		return err
	}
	if err := claim.Pend(); err != nil {
		return fmt.Errorf("remove record: %w", err)
	}
	if err := index.Purge(ctx, s.options.Library, id); err != nil {
		// Pending, unless nothing was written for certain.
		if !errors.Is(err, index.ErrWriter) {
			err = errors.Join(err, claim.Settle())
		}
		return fmt.Errorf("remove record: %w", err)
	}
	if err := claim.Discard(record.Paths()...); err != nil {
		s.options.Logger.Warn("uploaded file not deleted", "error", err)
	}
	return nil
}
