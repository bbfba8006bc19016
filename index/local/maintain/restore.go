package maintain

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
	"path/filepath"
	"strings"
	"time"

	"mekiki/index"
	"mekiki/index/local/catalog"
	"mekiki/index/local/segment"
	"mekiki/index/local/writerlock"
	"mekiki/internal/bounded"
	"mekiki/internal/contextio"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
)

// Restore reads a backup into a folder, which must be empty or missing. All
// of it is verified before there is a library.
func Restore(ctx context.Context, r io.Reader, folder string) error {
	return RestoreTo(ctx, vfs.OS{}, r, folder)
}

// RestoreTo is [Restore] on a file system.
func RestoreTo(ctx context.Context, fsys vfs.FS, r io.Reader, folder string) error {
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
	lock, err := writerlock.Take(fsys, folder, time.Now())
	if errors.Is(err, index.ErrLocked) {
		return err
	}
	if err != nil {
		return explainRestore(err, folder)
	}
	if err = checkEmpty(fsys, folder); err == nil {
		err = explainRestore(restoreFiles(ctx, fsys, r, folder), folder)
	}
	return errors.Join(err, writerlock.Give(fsys, folder, lock))
}

// checkEmpty refuses a folder that holds anything but the traces of a lock.
func checkEmpty(fsys vfs.FS, folder string) error {
	entries, err := fsys.ReadDir(folder)
	if vfs.IgnoreMissing(err) != nil {
		return fmt.Errorf("restore library: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() != writerlock.FileName && entry.Name() != writerlock.HolderName {
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
	archive := tar.NewReader(contextio.NewReader(ctx, r))
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
	data, err := bounded.Read(archive, maximumManifest)
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	if err := checkManifest(data, found); err != nil {
		return err
	}
	name := filepath.Join(folder, catalog.CheckpointName(1))
	if err := fsys.Rename(name+vfs.TemporarySuffix, name); err != nil {
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
	if name == catalog.CheckpointName(1) {
		return true
	}
	folder, file := filepath.Split(name)
	root, space := filepath.Split(strings.TrimSuffix(folder, string(filepath.Separator)))
	_, ok := segment.ParseKey(space, file)
	return ok && filepath.Clean(root) == segment.Folder
}

func restoreFile(fsys vfs.FS, name string, source io.Reader, size int64) (hash.Hash, error) {
	if err := fsys.MkdirAll(filepath.Dir(name)); err != nil {
		return nil, err
	}
	target := name
	if strings.HasSuffix(name, catalog.CheckpointSuffix) {
		target += vfs.TemporarySuffix
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
