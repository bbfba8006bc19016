package maintain

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/local/journal"
	"mekiki/index/local/segment"
	"mekiki/internal/contextio"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
)

// A backup is a tar archive: the catalog as one checkpoint, the segments up to
// their last committed block, and at the end a manifest with the length and
// SHA-256 of each file. Derived data is not in it.
const (
	backupManifest = "manifest.json"
	backupVersion  = 1
	backupFiles    = 1 << 20
)

type manifest struct {
	Version  int            `json:"version"`
	Sequence uint64         `json:"sequence"`
	Records  int            `json:"records"`
	Files    []manifestFile `json:"files"`
}

type manifestFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Backup writes a consistent copy of a state to w.
func Backup(ctx context.Context, w io.Writer, s *catalog.State, segments segment.Set) error {
	b := &backup{tar: tar.NewWriter(w)}
	err := b.write(ctx, s, segments)
	switch {
	case diskspace.IsFull(err):
		return hint.Wrap(err, "make room where the backup goes, or write it elsewhere")
	case errors.Is(err, index.ErrDamaged):
		return hint.Wrap(err, catalog.RemedyRepair)
	}
	return err
}

type backup struct {
	tar  *tar.Writer
	list manifest
}

func (b *backup) write(ctx context.Context, s *catalog.State, segments segment.Set) error {
	b.list = manifest{Version: backupVersion, Sequence: s.Sequence, Records: s.Records.Count}
	if err := b.checkpoint(ctx, s); err != nil {
		return err
	}
	ends := catalog.SegmentEnds(s)
	keys := make([]segment.Key, 0, len(ends))
	for key := range ends {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, segment.Compare)
	for _, key := range keys {
		file, open := segments[key]
		if !open {
			return fmt.Errorf("%s: %w: the file is missing", key.Path(), index.ErrDamaged)
		}
		if err := b.file(ctx, key.Path(), file.File, ends[key]); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(b.list, "", " ")
	if err != nil {
		return err
	}
	header := &tar.Header{Name: backupManifest, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatPAX}
	if err := b.tar.WriteHeader(header); err != nil {
		return err
	}
	if _, err := b.tar.Write(data); err != nil {
		return err
	}
	return b.tar.Close()
}

// checkpoint writes the catalog, twice: an archive wants to know its length first.
func (b *backup) checkpoint(ctx context.Context, s *catalog.State) error {
	write := func(to io.Writer) (int64, error) {
		name := catalog.CheckpointName(1)
		writer, err := journal.Start(&streamFile{to: to}, name, journal.Header{Kind: journal.Checkpoint, Number: 1})
		if err == nil {
			err = catalog.FillCheckpoint(ctx, writer, s)
		}
		if err != nil {
			return 0, err
		}
		return writer.Size(), nil
	}
	size, err := write(io.Discard)
	if err != nil {
		return err
	}
	name := filepath.ToSlash(catalog.CheckpointName(1))
	header := &tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatPAX}
	if err := b.tar.WriteHeader(header); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := write(io.MultiWriter(b.tar, sum)); err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	b.list.Files = append(b.list.Files, manifestFile{name, size, hex.EncodeToString(sum.Sum(nil))})
	return nil
}

// errStream is the error of what a stream cannot do.
var errStream = errors.New("what is in an archive can only grow")

// streamFile is the file of a journal that is written from its beginning to its end.
type streamFile struct {
	to   io.Writer
	size int64
}

var _ vfs.File = (*streamFile)(nil)

func (f *streamFile) WriteAt(p []byte, offset int64) (int, error) {
	if offset != f.size {
		return 0, errStream
	}
	n, err := f.to.Write(p)
	f.size += int64(n)
	return n, err
}

func (f *streamFile) ReadAt([]byte, int64) (int, error) { return 0, errStream }
func (f *streamFile) IsAt(string) (bool, error)         { return false, errStream }
func (f *streamFile) Truncate(int64) error              { return nil } // after a write that failed; the archive is given up
func (f *streamFile) Size() (int64, error)              { return f.size, nil }
func (f *streamFile) Sync() error                       { return nil }
func (f *streamFile) Close() error                      { return nil }

func (b *backup) file(ctx context.Context, name string, source io.ReaderAt, size int64) error {
	name = filepath.ToSlash(name)
	header := &tar.Header{Name: name, Mode: 0o644, Size: size, Format: tar.FormatPAX}
	if err := b.tar.WriteHeader(header); err != nil {
		return err
	}
	sum := sha256.New()
	reader := contextio.NewReader(ctx, io.NewSectionReader(source, 0, size))
	n, err := io.Copy(io.MultiWriter(b.tar, sum), reader)
	if err == nil && n != size {
		err = fmt.Errorf("%w: the file ends early", index.ErrDamaged)
	}
	if err != nil {
		return fmt.Errorf("copy %s: %d of %d bytes: %w", name, n, size, err)
	}
	b.list.Files = append(b.list.Files, manifestFile{name, size, hex.EncodeToString(sum.Sum(nil))})
	return nil
}
