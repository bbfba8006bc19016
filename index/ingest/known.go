package ingest

import (
	"context"
	"errors"
	"io/fs"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/content"
	"mekiki/index/ingest/drives"
)

// knownFiles feeds, of every image record that lacks vectors in the engine's space, the first
// file that holds its content: one of this machine, or else one in the library's store.
func (r *run) knownFiles(ctx context.Context, found chan<- fileEntry) (*walked, error) {
	var lacking []*index.Record
	err := r.eachLacking(ctx, index.KindImage, examinedAtOnce, func(some []*index.Record) error {
		lacking = append(lacking, some...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.progress.Expect(len(lacking))
	for _, record := range lacking {
		seen, is := holderOf(record)
		if !is {
			continue
		}
		r.progress.See()
		select {
		case found <- seen:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, nil
}

// holderOf gives a file that holds a record's content still.
func holderOf(record *index.Record) (fileEntry, bool) {
	for _, file := range record.Files {
		stat, err := statKnown(record, file)
		if err != nil {
			continue
		}
		seen := fileEntry{file: drives.StampOf(file.Path, stat)}
		seen.file.Sidecars, seen.file.MountLength, seen.file.RootLength = file.Sidecars, file.MountLength, file.RootLength
		return seen, true
	}
	for _, file := range record.Files {
		if file.InStore() {
			return fileEntry{file: file, stored: record.ID}, true
		}
	}
	return fileEntry{}, false
}

// statKnown describes a file that holds a record's content still.
func statKnown(record *index.Record, file index.File) (fs.FileInfo, error) {
	handle, err := content.OpenFile(record, file)
	if err != nil {
		return nil, err
	}
	defer handle.Close()
	return handle.Stat()
}

// dataOf reads a file, and says what it was while it was read. A failure is the file's, an error the library's.
func (r *run) dataOf(ctx context.Context, seen fileEntry) (data []byte, stamp index.File, failure, err error) {
	if seen.stored == 0 {
		data, stamp, failure = drives.ReadStable(seen.file, r.mayFollow(seen.file.Path))
		stamp.Sidecars, stamp.MountLength, stamp.RootLength = seen.file.Sidecars, seen.file.MountLength, seen.file.RootLength
		return data, stamp, failure, nil
	}
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return nil, seen.file, nil, err
	}
	defer reader.Close()
	data, err = content.Read(ctx, reader, seen.stored, pixels.DefaultMaxBytes)
	if errors.Is(err, index.ErrNotFound) {
		failure, err = err, nil
	}
	return data, seen.file, failure, err
}
