package local

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"mekiki/index"
	"mekiki/index/internal/journal"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A backup is a tar archive: the catalog as one checkpoint, the segments up to
// their last committed block, and at the end a manifest with the length and
// SHA-256 of each file. Derived data is not in it.
const (
	backupManifest = "manifest.json"
	backupVersion  = 1
	// maximumManifest bounds the manifest, and backupFiles the number of files.
	maximumManifest = 64 << 20
	backupFiles     = 1 << 20
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

// Backup writes a consistent copy of the library's truth to w, as one
// checksummed tar archive; writing and reading may go on meanwhile.
func (l *Library) Backup(ctx context.Context, w io.Writer) error {
	view, err := l.current()
	if err != nil {
		return fmt.Errorf("back up library: %w", err)
	}
	defer view.release()
	b := &backup{tar: tar.NewWriter(w), library: l}
	err = b.write(ctx, view)
	switch {
	case err == nil:
		return nil
	case diskspace.IsFull(err):
		return hint.Wrap(fmt.Errorf("back up library: %w", err), "make room where the backup goes, or write it elsewhere")
	case errors.Is(err, index.ErrDamaged):
		return hint.Wrap(fmt.Errorf("back up library: %w", err), remedyRepair)
	}
	return fmt.Errorf("back up library: %w", err)
}

type backup struct {
	tar     *tar.Writer
	library *Library
	list    manifest
}

func (b *backup) write(ctx context.Context, v *view) error {
	b.list = manifest{Version: backupVersion, Sequence: v.state.sequence, Records: v.state.records.count}
	if err := b.checkpoint(ctx, v.state); err != nil {
		return err
	}
	ends := segmentEnds(v.state)
	keys := make([]segmentKey, 0, len(ends))
	for key := range ends {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareSegments)
	for _, key := range keys {
		segment, open := v.segments[key]
		if !open {
			return fmt.Errorf("%s: %w: the file is missing", key.path(), index.ErrDamaged)
		}
		if err := b.file(ctx, key.path(), segment.file, ends[key]); err != nil {
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
func (b *backup) checkpoint(ctx context.Context, s *state) error {
	write := func(to io.Writer) (int64, error) {
		name := checkpointName(1)
		writer, err := journal.Start(&streamFile{to: to}, name, journal.Header{Kind: journal.Checkpoint, Number: 1})
		if err == nil {
			err = fillCheckpoint(ctx, writer, s)
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
	name := filepath.ToSlash(checkpointName(1))
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
	reader := contextReader{ctx, io.NewSectionReader(source, 0, size)}
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

// contextReader ends with the context.
type contextReader struct {
	ctx    context.Context
	reader io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.reader.Read(p)
}

// Restore reads a backup into a folder, which must be empty or missing. All
// of it is verified before there is a library.
func Restore(ctx context.Context, r io.Reader, folder string) error {
	return restore(ctx, vfs.OS{}, r, folder)
}

func restore(ctx context.Context, fsys vfs.FS, r io.Reader, folder string) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return fmt.Errorf("restore library: %w", err)
	}
	// The lock keeps writers out, to whom half a library looks like rubbish.
	if err := checkEmpty(fsys, folder); err != nil {
		return err
	}
	if err := fsys.MkdirAll(folder); err != nil {
		return fmt.Errorf("restore library: %w", err)
	}
	lock, err := takeLock(fsys, folder, time.Now())
	if errors.Is(err, index.ErrLocked) {
		return err
	}
	if err != nil {
		return explainRestore(err, folder)
	}
	if err = checkEmpty(fsys, folder); err == nil {
		err = explainRestore(restoreFiles(ctx, fsys, r, folder), folder)
	}
	return errors.Join(err, giveLock(fsys, folder, lock))
}

// checkEmpty refuses a folder that holds anything but the traces of a lock.
func checkEmpty(fsys vfs.FS, folder string) error {
	entries, err := fsys.ReadDir(folder)
	if ignoreMissing(err) != nil {
		return fmt.Errorf("restore library: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() != lockName && entry.Name() != holderName {
			return hint.Wrap(fmt.Errorf("restore library: %s is not empty", folder), "choose an empty or missing folder with --library")
		}
	}
	return nil
}

func explainRestore(err error, folder string) error {
	if err == nil {
		return nil
	}
	remedy := "delete the folder and restore another backup"
	if diskspace.IsFull(err) {
		remedy = "delete the folder, make room on the disk, and restore again"
	}
	return hint.Wrap(fmt.Errorf("restore library to %s: %w", folder, err), remedy)
}

// restoreFiles writes everything, the checkpoint under a name that makes no
// library, and gives it its name when all of it is verified.
func restoreFiles(ctx context.Context, fsys vfs.FS, r io.Reader, folder string) error {
	archive := tar.NewReader(contextReader{ctx, r})
	found := map[string]manifestFile{}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the backup ends before its manifest: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return fmt.Errorf("read backup: %w", err)
		}
		if header.Name == backupManifest {
			break
		}
		name := filepath.FromSlash(header.Name)
		_, twice := found[header.Name]
		if header.Typeflag != tar.TypeReg || isSparse(header) || twice || !knownBackupFile(name) || len(found) >= backupFiles {
			return fmt.Errorf("the backup holds %q, which no backup of a library does", header.Name)
		}
		sum, err := restoreFile(fsys, filepath.Join(folder, name), archive, header.Size)
		if err != nil {
			return err
		}
		found[header.Name] = manifestFile{header.Name, header.Size, hex.EncodeToString(sum.Sum(nil))}
	}
	data, err := io.ReadAll(io.LimitReader(archive, maximumManifest))
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	if err := checkManifest(data, found); err != nil {
		return err
	}
	name := filepath.Join(folder, checkpointName(1))
	if err := fsys.Rename(name+temporarySuffix, name); err != nil {
		return err
	}
	return errors.Join(fsys.SyncDir(filepath.Dir(name)), fsys.SyncDir(folder))
}

// isSparse reports whether a file takes less room in the archive than it has
// bytes: a few kilobytes of archive could fill the disk.
func isSparse(header *tar.Header) bool {
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return header.Typeflag == tar.TypeGNUSparse
}

func knownBackupFile(name string) bool {
	if name == checkpointName(1) {
		return true
	}
	folder, file := filepath.Split(name)
	root, space := filepath.Split(strings.TrimSuffix(folder, string(filepath.Separator)))
	_, ok := parseSegment(space, file, segmentKey{})
	return ok && filepath.Clean(root) == "spaces"
}

func restoreFile(fsys vfs.FS, name string, source io.Reader, size int64) (hash.Hash, error) {
	if err := fsys.MkdirAll(filepath.Dir(name)); err != nil {
		return nil, err
	}
	target := name
	if strings.HasSuffix(name, checkpointSuffix) {
		target += temporarySuffix
	}
	file, err := fsys.Create(target)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.NewOffsetWriter(file, 0), io.TeeReader(source, sum))
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("restore %s: %w", filepath.Base(name), err)
	}
	return sum, fsys.SyncDir(filepath.Dir(name))
}

func checkManifest(data []byte, found map[string]manifestFile) error {
	var list manifest
	if err := json.Unmarshal(data, &list); err != nil {
		return fmt.Errorf("manifest: %w: %w", index.ErrDamaged, err)
	}
	if list.Version != backupVersion {
		return fmt.Errorf("backup of version %d: %w", list.Version, index.ErrVersion)
	}
	if len(list.Files) != len(found) {
		return fmt.Errorf("backup: %w: %d files of %d", index.ErrDamaged, len(found), len(list.Files))
	}
	for _, wanted := range list.Files {
		if found[wanted.Name] != wanted {
			return fmt.Errorf("backup: %w: %s is not as it was written", index.ErrDamaged, wanted.Name)
		}
	}
	return nil
}
