package ingest

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/ingest/drives"
	"mekiki/index/metadata"
)

// describe reads what a picture says about itself, and what the files beside it say
// of it. Trouble with that costs the description and not the picture.
func (r *run) describe(ctx context.Context, data []byte, format pixels.Format, file index.File, sidecars []string) (described index.Metadata) {
	defer func() {
		if reason := recover(); reason != nil {
			r.panicked("its metadata cannot be read", file.Path, reason)
			described = index.Metadata{}
		}
	}()
	source := metadata.Source{Data: data, Format: format, Path: namedOf(file), Modified: file.Modified}
	for _, path := range sidecars {
		if data, err := readSidecar(path); err == nil {
			source.Sidecars = append(source.Sidecars, metadata.Sidecar{Name: filepath.Base(path), Data: data})
		}
	}
	return metadata.Read(ctx, source)
}

// describeRecord reads again what is said of the picture of a known record, if more or
// other is said of it than when it was read last: by its own file, of which these are
// the bytes, and by what lies beside any of its files.
func (r *run) describeRecord(ctx context.Context, result *fileResult, data []byte) error {
	reader, err := r.library.Reader(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	record, err := index.One(reader.Records(ctx, []index.ID{result.known}))
	if err != nil || record == nil || result.seen.wants != wantMetadata && result.file.Sidecars == 0 && record.MetadataVersion >= metadata.Version {
		return err
	}
	sidecars := result.seen.sidecars
	for _, other := range record.Files {
		if other.Sidecars == 0 || other.Path == result.file.Path && len(sidecars) > 0 {
			continue
		}
		folder, name := filepath.Dir(other.Path), filepath.Base(other.Path)
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue // its drive is away
		}
		_, paths := stampOfSidecars(folder, besideOf(folder, entries).of(name))
		sidecars = append(sidecars[:len(sidecars):len(sidecars)], paths...)
	}
	result.described = &index.MetadataChange{
		ID: record.ID, Version: metadata.Version,
		Metadata: r.describe(ctx, data, pixels.Format(record.Format), result.file, sidecars),
	}
	return nil
}

// readSidecar reads a file that describes a picture.
func readSidecar(path string) ([]byte, error) {
	file, err := drives.OpenToRead(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, metadata.MaxSidecarBytes))
}

// namedOf is the name that may say when a picture was taken: of an upload, the one that
// it came with.
func namedOf(file index.File) string {
	if file.Name != "" {
		return file.Name
	}
	return file.Path
}
