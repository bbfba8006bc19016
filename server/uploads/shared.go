package uploads

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest"
	"mekiki/server/problem"
)

// Keeper keeps the files of uploads where every server of a library can read them. Its methods may be called from any
// goroutine.
type Keeper interface {
	// Keep keeps the content of a file durably, and gives the path by which a record names it: one that no other call gives.
	// Extension is the name of its format.
	Keep(ctx context.Context, data []byte, extension string) (path string, err error)
	// Discard deletes what Keep has kept, which no record names.
	Discard(ctx context.Context, path string) error
}

// keepShared keeps an upload's file with the keeper and brings it into the library. Known is the record that it has already,
// or nil, and picture what was decoded of it, or nil. Several servers may do so at once with the same picture: then its record
// has several files. What a reader shows is no proof that no record names a file, since another server may be writing the same
// record: so a file is deleted only when the batch was refused, and what is left otherwise is found by a check of the cluster.
func (s *Store) keepShared(ctx context.Context, wanted Image, known *index.Record, picture *pixels.Image) error {
	extension := s.extensionOf(known, picture)
	path, err := s.options.Keeper.Keep(ctx, wanted.Data, extension)
	if err != nil {
		return fmt.Errorf("add upload: %w", err)
	}
	err = s.ingestStored(ctx, wanted, path, extension, picture)
	if err != nil && (problem.From(err).Code == problem.InvalidImage || errors.Is(err, index.ErrNotFound)) { // nothing was written
		deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), discardTimeout)
		defer cancel()
		if err := s.options.Keeper.Discard(deleting, path); err != nil {
			s.options.Logger.Warn("upload not deleted", "error", err)
		}
	}
	return err
}

// ingestStored brings a file into the library that records name by a path, from a temporary one.
func (s *Store) ingestStored(ctx context.Context, wanted Image, path, extension string, picture *pixels.Image) (err error) {
	folder, err := os.MkdirTemp(s.options.Temporary, "upload-")
	if err != nil {
		return fmt.Errorf("add upload: %w", err)
	}
	defer func() {
		if err := os.RemoveAll(folder); err != nil {
			s.options.Logger.Warn("temporary file of an upload not deleted", "error", err)
		}
	}()
	temporary := filepath.Join(folder, wanted.Hash.String()+"."+extension)
	if err := os.WriteFile(temporary, wanted.Data, 0o600); err != nil {
		return fmt.Errorf("add upload: %w", err)
	}
	err = s.ingestFile(ctx, temporary, wanted.Hash, picture, ingest.Options{Names: map[string]string{temporary: wanted.Name}, Stored: map[string]string{temporary: path}})
	if err != nil { // that it failed is of nobody's interest: the path is not seen again
		_, resolved := s.options.Library.Write(context.WithoutCancel(ctx), index.Batch{Resolved: []string{temporary}})
		err = errors.Join(err, resolved)
	}
	return err
}
