package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest/drives"
	"mekiki/index/metadata"
)

// fileResult is what became of a file: an image to embed, a file of a record that
// is complete already, or a failure.
type fileResult struct {
	file  index.File
	hash  index.Hash
	image *pixels.Image
	put   index.Put
	known index.ID // the record that holds this content, or zero
	// complete says that the record lacks nothing that this run makes.
	complete bool
	// prepared says that the put is complete without the model.
	prepared bool
	// purged says that a person removed this content for good.
	purged  bool
	failure error
	// described is what is said now of the picture of a known record.
	described *index.MetadataChange
	// seen is what the walk saw.
	seen fileEntry
}

// examine passes on the files that are not known to be as they were. Those whose
// path is a record's and that are not what the record's file was go to altered
// instead, where that is not nil.
func (r *run) examine(ctx context.Context, found <-chan fileEntry, wanted chan<- fileEntry, altered *[]fileEntry) error {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	for some := range together(found, examinedAtOnce) {
		known, err := r.knownOf(ctx, reader, some)
		if err != nil {
			return err
		}
		for i, seen := range some {
			wants, isAltered := r.examineOne(&seen, known[i], altered != nil)
			switch {
			case isAltered:
				*altered = append(*altered, seen)
			case wants:
				select {
				case wanted <- seen:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
	}
	return ctx.Err()
}

// together gives what comes in, with what else is waiting behind it, at most so many.
func together[T any](in <-chan T, most int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for first := range in {
			some := append(make([]T, 0, most), first)
			for waiting := true; waiting && len(some) < most; {
				select {
				case next, open := <-in:
					if waiting = open; open {
						some = append(some, next)
					}
				default:
					waiting = false
				}
			}
			if !yield(some) {
				return
			}
		}
	}
}

// knownFile is what the library knows of a path.
type knownFile struct {
	record   *index.Record  // nil when there is none
	failure  *index.Failure // nil when it did not fail
	hasParts bool           // of the engine's space
}

// knownOf asks what the library knows of files.
func (r *run) knownOf(ctx context.Context, reader index.Reader, files []fileEntry) ([]knownFile, error) {
	paths := make([]string, len(files))
	for i, seen := range files {
		paths[i] = seen.file.Path
	}
	records, err := reader.RecordsByPath(ctx, paths)
	if err != nil {
		return nil, err
	}
	failures, err := reader.FailuresOf(ctx, paths)
	if err != nil {
		return nil, err
	}
	ids := index.IDs(records)
	have, err := reader.HaveParts(ctx, r.engine.Space(), ids)
	if err != nil {
		return nil, err
	}
	known := make([]knownFile, len(files))
	for i := range known {
		known[i] = knownFile{records[i], failures[i], have[i]}
	}
	return known, nil
}

// examineOne reports whether a file is to be read, or, unless it is the second time, to
// be looked at after all others, as it is not what its path held before.
func (r *run) examineOne(seen *fileEntry, known knownFile, first bool) (wanted, altered bool) {
	file, record := seen.file, known.record
	if record != nil && hasFile(record, file) {
		r.present[drives.MountPointOf(file)] = true
	}
	switch {
	case known.failure != nil && known.failure.File.Same(file) && !r.options.RetryFailed:
		r.progress.Unchanged(file.Path)
		return false, false
	case known.failure != nil:
		seen.replaces = known.failure.Replaced
	case record == nil:
	case !hasFile(record, file):
		return true, first
	case known.hasParts:
		seen.older = record.MetadataVersion < metadata.Version
		if seen.wants = r.lacking(record, file); seen.wants == wantNothing {
			r.progress.Unchanged(file.Path)
			return false, false
		}
	}
	return true, false
}

// lacking says what is to be done with a file whose content is as it was when it was
// indexed.
func (r *run) lacking(record *index.Record, file index.File) want {
	at := slices.IndexFunc(record.Files, file.SameContent)
	switch known := record.Files[at]; {
	case known.Sidecars != file.Sidecars:
		return wantMetadata
	case (r.rereading || record.MetadataVersion < metadata.Version) && !r.reread[record.ID]:
		if len(record.Files) > 1 {
			r.reread[record.ID] = true // by one of its files
		}
		return wantMetadata
	case known.MountLength != file.MountLength, known.RootLength == 0, known.RootLength > file.RootLength:
		return wantStamp
	}
	return wantNothing
}

// hasFile reports whether the record has the file with the content it has now.
func hasFile(record *index.Record, file index.File) bool {
	return slices.ContainsFunc(record.Files, file.SameContent)
}

// work makes results of files by read.
func (r *run) work(ctx context.Context, read fileReader, wanted <-chan fileEntry, decoded chan<- fileResult) error {
	for task := range wanted {
		result := fileResult{file: task.file, failure: task.failure}
		if task.failure == nil {
			var err error
			if result, err = r.guard(ctx, read, task); err != nil {
				return err
			}
		}
		result.seen = task
		if ctx.Err() != nil {
			return ctx.Err()
		}
		select {
		case decoded <- result:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// fileReader makes the result of a file. What is wrong with the file is in the result; an
// error is the library's.
type fileReader func(context.Context, fileEntry) (fileResult, error)

// errUnexpected: a mistake in a program, ours or a library's, that a file leads to.
var errUnexpected = errors.New("it makes the program that reads it fail")

// guard reads a file. A panic is a failure of that file.
func (r *run) guard(ctx context.Context, read fileReader, seen fileEntry) (result fileResult, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			r.panicked("the file cannot be read", seen.file.Path, reason)
			result, err = fileResult{file: seen.file, failure: fmt.Errorf("%w: %v", errUnexpected, reason)}, nil
		}
	}()
	return read(ctx, seen)
}

// panicked tells developers of a panic that a file led to.
func (r *run) panicked(what, path string, reason any) {
	r.options.Logger.Debug(what, "file", path, "panic", reason, "stack", string(debug.Stack()))
}

// read makes the result of a file, with its image unless the library has all of it.
func (r *run) read(ctx context.Context, seen fileEntry) (fileResult, error) {
	if seen.wants == wantStamp {
		owner, err := r.ownerOf(ctx, seen.file.Path)
		return fileResult{file: seen.file, known: owner, complete: true}, err
	}
	result, data, err := r.identify(ctx, seen)
	if err != nil || result.purged {
		return result, err
	}
	put, prepared := r.options.Prepared[result.hash]
	switch {
	case result.failure != nil || result.complete:
	case prepared && result.known == 0:
		r.takePrepared(ctx, data, put, &result)
		return result, nil
	default:
		result.failure = r.decode(ctx, data, seen, &result)
	}
	if result.failure == nil {
		err = r.describeRecord(ctx, &result, data)
	}
	return result, err
}

// takePrepared fills in what is known of a new picture already.
func (r *run) takePrepared(ctx context.Context, data []byte, put index.Put, result *fileResult) {
	result.prepared, result.put = true, put
	record := &result.put.Record
	record.Files, record.Tags = []index.File{result.file}, result.seen.tags
	record.Metadata, record.MetadataVersion = r.describe(ctx, data, pixels.Format(record.Format), result.file, result.seen.sidecars), metadata.Version
	if result.seen.replaces != result.hash {
		result.put.Replaces = result.seen.replaces
	}
}

// mayFollow reports whether a file may be a link: where links are followed, at the
// paths that were asked for, and where records know it already.
func (r *run) mayFollow(path string) bool {
	return r.options.FollowSymlinks || len(r.roots) == 0 || slices.Contains(r.roots, path)
}

// decode fills in the record and the image that the model reads.
func (r *run) decode(ctx context.Context, data []byte, seen fileEntry, result *fileResult) error {
	image := r.options.Decoded[result.hash]
	if image == nil {
		held, release, err := r.decoder.Hold(ctx, data)
		if err != nil {
			return err
		}
		defer release() // what goes on from here is small
		image = held
	}
	var err error
	width, height := image.FullSize()
	result.put.Record = index.Record{
		Kind: index.KindImage, Damage: image.Damage, Hash: result.hash, Files: []index.File{result.file},
		Format: string(image.Format), Width: width, Height: height, Bytes: int64(len(data)),
		Metadata:        r.describe(ctx, data, image.Format, result.file, seen.sidecars),
		MetadataVersion: metadata.Version, PerceptualHash: pixels.PerceptualHash(image), Tags: seen.tags,
	}
	if seen.replaces != result.hash { // else it is back
		result.put.Replaces = seen.replaces
	}
	if result.put.Thumbnail, err = pixels.Thumbnail(image, index.ThumbnailSide, index.ThumbnailQuality); err != nil {
		return err
	}
	result.image = image
	if side := r.options.ImageSize; side > 0 && (image.Width != side || image.Height != side) {
		if result.image, err = pixels.Resize(image, side, side); err != nil {
			return err
		}
	}
	return nil
}
