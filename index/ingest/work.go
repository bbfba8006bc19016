package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"mekiki/embed/pixels"
	"mekiki/index"
)

// outcome is what became of a file: an image to embed, a file of a record that
// is complete already, or a failure.
type outcome struct {
	file  index.File
	hash  index.Hash
	image *pixels.Image
	put   index.Put
	known index.ID // the record that holds this content, or zero
	// complete says that the record lacks nothing that this run makes.
	complete bool
	failure  error
}

// examine passes on the files that are not known to be as they were. Those whose
// path is a record's and that are not what the record's file was go to altered
// instead, where that is not nil.
func (r *run) examine(ctx context.Context, found <-chan sighting, wanted chan<- sighting, altered *[]sighting) error {
	snapshot := r.library.Snapshot()
	defer snapshot.Close()
	space := r.engine.Space()
	for seen := range found {
		file := seen.file
		if err := ctx.Err(); err != nil {
			return err
		}
		if unchanged(snapshot, file, func(id index.ID) bool { return snapshot.HasParts(id, space) }) {
			r.progress.unchanged(file.Path)
			continue
		}
		if record, known := snapshot.RecordByPath(file.Path); altered != nil && known && !hasFile(record, file) {
			*altered = append(*altered, seen)
			continue
		}
		select {
		case wanted <- seen:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// unchanged reports whether the file is as it was when it was indexed, or when
// it failed to be.
func unchanged(snapshot *index.Snapshot, file index.File, complete func(index.ID) bool) bool {
	if failure, failed := snapshot.Failure(file.Path); failed && failure.File.Same(file) {
		return true
	}
	record, known := snapshot.RecordByPath(file.Path)
	return known && complete(record.ID) && hasFile(record, file)
}

// hasFile reports whether the record has the file as it is.
func hasFile(record *index.Record, file index.File) bool {
	return slices.ContainsFunc(record.Files, file.Same)
}

// work makes outcomes of files by read.
func (r *run) work(ctx context.Context, read func(context.Context, index.File) outcome, wanted <-chan sighting, decoded chan<- outcome) error {
	for task := range wanted {
		result := outcome{file: task.file, failure: task.failure}
		if task.failure == nil {
			result = read(ctx, task.file)
		}
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

// read makes an outcome of a file, with its image unless the library has all of
// it. It never fails the run.
func (r *run) read(ctx context.Context, file index.File) outcome {
	result, data := r.identify(file)
	if result.failure == nil && !result.complete {
		result.failure = r.decode(ctx, data, &result)
	}
	return result
}

// identify reads a file and says which record holds its content.
func (r *run) identify(file index.File) (outcome, []byte) {
	data, stamp, err := readStill(file)
	if err != nil {
		return outcome{file: stamp, failure: err}, nil
	}
	result := outcome{file: stamp, hash: sha256.Sum256(data)}
	snapshot := r.library.Snapshot()
	defer snapshot.Close()
	if record, known := snapshot.RecordByHash(result.hash); known {
		result.known, result.complete = record.ID, snapshot.HasParts(record.ID, r.engine.Space())
	}
	return result, data
}

// errChanging: the file is being written; its old stamp sees to it that it is
// tried again.
var errChanging = errors.New("the file changed while it was read")

// readStill reads a file that does not change meanwhile.
func readStill(file index.File) ([]byte, index.File, error) {
	if err := checkSize(file.Bytes); err != nil {
		return nil, file, err
	}
	handle, err := openToRead(file.Path)
	if err != nil {
		return nil, file, err
	}
	defer handle.Close()
	before, err := handle.Stat()
	if err != nil {
		return nil, file, err
	}
	if !before.Mode().IsRegular() {
		return nil, file, fmt.Errorf("not a regular file: %w", fs.ErrInvalid)
	}
	if err := checkSize(before.Size()); err != nil { // it has grown since it was found
		return nil, stampOf(file.Path, before), err
	}
	data := make([]byte, 0, before.Size()+1)
	data, err = appendAll(data, handle, pixels.DefaultMaxBytes)
	if err != nil {
		return nil, file, err
	}
	after, err := handle.Stat()
	if err != nil {
		return nil, file, err
	}
	stamp := stampOf(file.Path, after)
	if !stamp.Same(stampOf(file.Path, before)) || int64(len(data)) != stamp.Bytes {
		return nil, file, errChanging
	}
	return data, stamp, nil
}

// checkSize refuses files too large to be decoded.
func checkSize(bytes int64) error {
	if bytes <= pixels.DefaultMaxBytes {
		return nil
	}
	return fmt.Errorf("%w: %d bytes, the limit is %d", pixels.ErrTooLarge, bytes, int64(pixels.DefaultMaxBytes))
}

// appendAll reads to the end, or to one byte beyond the limit.
func appendAll(data []byte, source io.Reader, limit int64) ([]byte, error) {
	source = io.LimitReader(source, limit+1)
	for {
		n, err := source.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return data, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

// decode fills in the record and the image that the model reads.
func (r *run) decode(ctx context.Context, data []byte, result *outcome) error {
	image, err := r.decoder.Decode(ctx, data)
	if err != nil {
		return err
	}
	result.put.Record = index.Record{
		Kind: index.KindImage, Hash: result.hash, Files: []index.File{result.file},
		Format: string(image.Format), Width: image.Width, Height: image.Height, Bytes: int64(len(data)),
		Metadata: readMetadata(data, image.Format), PerceptualHash: pixels.PerceptualHash(image),
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
