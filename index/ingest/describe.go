package ingest

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mekiki/embed/pixels"
	"mekiki/index"
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
	return readMetadata(data, format)
}

// describeRecord reads again what is said of the picture of a known record, if more or
// other is said of it than when it was read last: by its own file, of which these are
// the bytes, and by what lies beside any of its files.
func (r *run) describeRecord(ctx context.Context, result *outcome, data []byte) {
	snapshot := r.library.Snapshot()
	defer snapshot.Close()
	record, there := snapshot.Record(result.known)
	if !there || result.seen.wants != wantMetadata && result.file.Sidecars == 0 && record.MetadataVersion >= metadataVersion {
		return
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
		ID: record.ID, Version: metadataVersion,
		Metadata: r.describe(ctx, data, pixels.Format(record.Format), result.file, sidecars),
	}
}

// readSidecar reads a file that describes a picture.
func readSidecar(path string) ([]byte, error) {
	file, err := openToRead(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maximumSidecarBytes))
}

// What is read of a picture is read again when the version of the reader is higher.
const (
	metadataVersion     = 1
	maximumSidecarBytes = 1 << 20
)

// isSidecarName tells by its extension whether a file may describe a picture.
func isSidecarName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".xmp", ".json":
		return true
	}
	return false
}

// sidecarsOf gives those of names that describe the picture of a name.
func sidecarsOf(name string, names []string) (found []string) {
	stem := strings.TrimSuffix(name, filepath.Ext(name))
	for _, each := range names {
		if strings.EqualFold(each, name+".xmp") || strings.EqualFold(each, stem+".xmp") ||
			strings.EqualFold(each, name+".json") || strings.EqualFold(each, name+".supplemental-metadata.json") {
			found = append(found, each)
		}
	}
	return found
}
