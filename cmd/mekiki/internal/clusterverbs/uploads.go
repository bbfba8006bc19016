package clusterverbs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"mekiki/index"
	"mekiki/index/cluster/maintain"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/content"
	"mekiki/index/originals"
)

// uploadsIn has the files of uploads of a library on a disk, which lie in a folder beside it, kept in the store of a cluster.
func uploadsIn(folder string, keeper uploaded.Keeper) maintain.Files {
	kept := originals.New(originals.FolderOf(folder))
	return func(ctx context.Context, from index.Reader, record *index.Record) ([]index.File, func(bool) error, error) {
		files := make([]index.File, 0, len(record.Files))
		for _, file := range record.Files {
			if kept.Contains(file.Path) {
				data, err := contentOf(ctx, from, record)
				if err == nil {
					file, err = stored(ctx, keeper, file, data)
				}
				if err != nil && !errors.Is(err, index.ErrNotFound) { // a picture whose file is lost is found all the same
					return nil, nil, err
				}
			}
			files = append(files, file)
		}
		return files, nil, nil
	}
}

func stored(ctx context.Context, keeper uploaded.Keeper, file index.File, data []byte) (index.File, error) {
	path, err := keeper.Keep(ctx, data, strings.TrimPrefix(filepath.Ext(file.Path), "."))
	return file.MovedTo(path), err
}

// uploadsBack has the files of uploads of a library on a cluster kept in a folder beside one on a disk. One that is lost is
// left out of its record.
func uploadsBack(folder string, logger *slog.Logger) maintain.Files {
	kept := originals.New(originals.FolderOf(folder))
	return func(ctx context.Context, from index.Reader, record *index.Record) (files []index.File, settle func(written bool) error, err error) {
		for _, file := range record.Files {
			if _, is := uploaded.KeyOf(file.Path); !is {
				files = append(files, file)
				continue
			}
			if settle != nil {
				continue // it has one already
			}
			data, err := contentOf(ctx, from, record)
			if errors.Is(err, index.ErrNotFound) {
				logger.Warn("the file of an upload is lost", "record", record.ID, "error", err)
				continue
			}
			if err == nil {
				file.Path, settle, err = keepOriginal(ctx, kept, record.Hash, data, filepath.Ext(file.Path))
			}
			if err != nil {
				return nil, nil, err
			}
			files = append(files, file)
		}
		return files, settle, nil
	}
}

// keepOriginal keeps a file until its record is there, which settle says.
func keepOriginal(ctx context.Context, kept *originals.Store, hash index.Hash, data []byte, extension string) (path string, settle func(written bool) error, err error) {
	claim, err := kept.Claim(ctx, hash)
	if err != nil {
		return "", nil, err
	}
	path, err = claim.Keep(data, strings.TrimPrefix(extension, "."))
	if err != nil {
		claim.Release()
		return "", nil, err
	}
	return path, func(written bool) error {
		defer claim.Release()
		if !written {
			return nil // it stays pending until the library is opened by a server
		}
		return claim.Settle()
	}, nil
}

// contentOf reads a record's content.
func contentOf(ctx context.Context, from index.Reader, record *index.Record) ([]byte, error) {
	data, err := content.Read(ctx, from, record.ID, objects.MaximumObject)
	if err == nil && len(data) > objects.MaximumObject {
		err = fmt.Errorf("%w: its file has more than %d bytes", index.ErrNotFound, objects.MaximumObject)
	}
	return data, err
}
