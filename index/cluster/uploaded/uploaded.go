// Package uploaded keeps the files of pictures that came by upload in the store of a library on a cluster, where every server
// can read them.
//
//	upload:/3f9a…-k7q….jpeg       the path of such a file in its record
//	originals/3f/3f9a…-k7q…       the object that has it
//
// Each upload makes an object of its own, whose name no other one has. So whoever removes a record deletes exactly what that
// record named, and never what another server has just kept of the same picture. Of uploads of one picture at once the record
// names the first, and whoever finds that there deletes its own. An object that no record names was not acknowledged; checks of
// the cluster find it.
package uploaded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/content"
)

// scheme begins paths; the folder of all of them is "upload:".
const scheme = "upload:/"

// KeyOf gives the key of the object that a path of a record names; false where it is the path of a file.
func KeyOf(path string) (string, bool) {
	name, is := strings.CutPrefix(filepath.ToSlash(path), scheme)
	name, extension, dotted := strings.Cut(name, ".")
	hash, mark, marked := strings.Cut(name, "-")
	if !is || !dotted || !marked || len(hash) != 2*len(index.Hash{}) || !plain(hash, "0123456789abcdef") || mark == "" || len(mark) > longestMark || !plain(mark, letters) ||
		extension == "" || len(extension) > longestExtension || !plain(extension, letters) {
		return "", false
	}
	return form.OriginalPrefix + hash[:2] + "/" + name, true
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

func plain(text, of string) bool { return strings.Trim(text, of) == "" }

// Holds reports whether a record can have a file with a path: an absolute one, or that of an upload.
func Holds(path string) bool {
	_, is := KeyOf(path)
	return is || filepath.IsAbs(path)
}

// KeysOf gives the keys of the objects that a record's files name.
func KeysOf(record *index.Record) (keys []string) {
	for _, file := range record.Files {
		if key, is := KeyOf(file.Path); is {
			keys = append(keys, key)
		}
	}
	return keys
}

// Keep puts a picture's file into the store, and gives the path by which a record names it. It is durable when Keep returns
// without an error. Extension is the name of the format, in lower-case letters and digits.
func Keep(ctx context.Context, store objects.Store, data []byte, extension string) (path string, err error) {
	path = filepath.FromSlash(scheme) + index.Hash(sha256.Sum256(data)).String() + "-" + form.NewMark() + "." + extension
	key, is := KeyOf(path)
	if !is {
		return "", fmt.Errorf("keep an upload: %q is not the name of a format", extension)
	}
	if err := store.Put(ctx, key, data); err != nil {
		return "", fmt.Errorf("keep an upload: %w", err)
	}
	return path, nil
}

// Open opens a record's content: the first of its files that this machine sees, or else what was uploaded of it. The error is
// [index.ErrNotFound] where there is neither, and the store's where that cannot be told.
func Open(ctx context.Context, store objects.Store, record *index.Record) (io.ReadSeekCloser, error) {
	file, problem := content.Open(record)
	if problem == nil {
		return file, nil
	}
	data, err := read(ctx, store, record)
	switch {
	case err != nil && !errors.Is(err, index.ErrNotFound):
		return nil, err
	case err != nil:
		return nil, errors.Join(problem, err)
	}
	return held{bytes.NewReader(data)}, nil
}

// WithoutCopies leaves out of some files those uploads of a record's content that the record does not need, since the store has
// another one whole that it names already, and gives the keys of their objects. Files that the record has stay.
func WithoutCopies(ctx context.Context, store objects.Store, record *index.Record, files []index.File) (left []index.File, copies []string, err error) {
	known := KeysOf(record)
	for _, file := range files {
		if key, is := KeyOf(file.Path); is && strings.Contains(key, record.Hash.String()) && !slices.Contains(known, key) {
			copies = append(copies, key)
		} else {
			left = append(left, file)
		}
	}
	if len(copies) == 0 || len(known) == 0 {
		return files, nil, nil
	}
	switch _, err := read(ctx, store, record); {
	case errors.Is(err, index.ErrNotFound):
		return files, nil, nil
	case err != nil:
		return nil, nil, err
	}
	return left, copies, nil
}

// read gives the first object that a record names and that has its content. The error is [index.ErrNotFound] where none has.
func read(ctx context.Context, store objects.Store, record *index.Record) ([]byte, error) {
	problems := []error{index.ErrNotFound}
	for _, key := range KeysOf(record) {
		data, err := store.Get(ctx, key)
		if err == nil && index.Hash(sha256.Sum256(data)) != record.Hash {
			err = fmt.Errorf("%s: %w: it has another content", key, index.ErrDamaged)
		}
		switch {
		case err == nil:
			return data, nil
		case !errors.Is(err, objects.ErrAbsent) && !errors.Is(err, index.ErrDamaged):
			return nil, fmt.Errorf("original of record %d: %w", record.ID, err)
		}
		problems = append(problems, err)
	}
	return nil, errors.Join(problems...)
}

// held is a file in memory.
type held struct{ *bytes.Reader }

func (held) Close() error { return nil }

// Keeper keeps the uploads of a server. Its methods may be called from any goroutine.
type Keeper struct{ Store objects.Store }

// Keep is [Keep].
func (k Keeper) Keep(ctx context.Context, data []byte, extension string) (path string, err error) {
	return Keep(ctx, k.Store, data, extension)
}

// Discard deletes what Keep has kept, when no record names it.
func (k Keeper) Discard(ctx context.Context, path string) error {
	key, is := KeyOf(path)
	if !is {
		return nil
	}
	return k.Store.Delete(ctx, key)
}
