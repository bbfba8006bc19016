// Package originals keeps the files of pictures that came by upload: one for
// each content, named by its hash, in a folder beside the library.
//
//	library-uploads/
//	  3f/3f9a….jpeg        an original
//	  3f/.3f9a….new        one that is being written
//	  3f/.3f9a….pending    says that it is not settled yet whether a record names it
//
// Whoever adds or removes an original holds the [Claim] of its content, so that
// requests for the same picture come one after the other. A file gets its name
// once it is whole and on disk, and never takes the place of one that is good. An
// original outlives the record that names it: the note that it is pending is
// written before, and taken away after, the commit that decides about the record.
// What a crash leaves is therefore an original with a note, and [Sweep] settles
// it by what the library says. An original without a note was acknowledged once;
// nothing here deletes it.
package originals

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"mekiki/index"
	"mekiki/internal/hint"
	"mekiki/internal/vfs"
)

// ErrFolderGone is the error of keeping an original when the folder is not the one
// that was there before: nothing is put into another, and none is made, because
// what it held is elsewhere, as on a drive that is not mounted just now.
var ErrFolderGone = errors.New("the folder of uploads was removed, moved or replaced")

// FolderOf gives the folder of originals of the library in a folder.
func FolderOf(library string) string {
	return filepath.Join(filepath.Dir(library), filepath.Base(library)+"-uploads")
}

// Store is a folder of originals. Its methods may be called from any goroutine;
// one process at a time may use a folder, which is the one that holds the library
// for writing.
type Store struct {
	folder string
	disk   vfs.OS
	// seen is the folder as it was first seen; nil while there is none.
	seen atomic.Pointer[fs.FileInfo]

	mutex  sync.Mutex
	claims map[index.Hash]*place
}

// place is where requests for one content wait for each other.
type place struct {
	turn    chan struct{}
	waiting int
}

// New gives the store of a folder, which need not exist yet and whose path must be
// absolute.
func New(folder string) *Store {
	s := &Store{folder: folder, claims: map[index.Hash]*place{}}
	if stat, err := os.Stat(folder); err == nil && stat.IsDir() {
		s.see(stat)
	}
	return s
}

// see notes the folder. On Windows the system is asked which one it is only when
// it is compared first, so that this has to be now.
func (s *Store) see(stat fs.FileInfo) {
	os.SameFile(stat, stat)
	s.seen.Store(&stat)
}

// Contains reports whether a path lies in the folder, by its name alone.
func (s *Store) Contains(path string) bool { return inside(s.folder, path) }

func inside(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != "." && filepath.IsLocal(relative)
}

// Claim is the sole right to add or remove the original of one content. It is for
// one goroutine.
type Claim struct {
	store *Store
	hash  index.Hash
	place *place
}

// Claim waits until nobody else has the claim of a content. The error is that of
// the context. Release the claim when done.
func (s *Store) Claim(ctx context.Context, hash index.Hash) (*Claim, error) {
	s.mutex.Lock()
	at := s.claims[hash]
	if at == nil {
		at = &place{turn: make(chan struct{}, 1)}
		s.claims[hash] = at
	}
	at.waiting++
	s.mutex.Unlock()
	select {
	case at.turn <- struct{}{}:
		return &Claim{s, hash, at}, nil
	case <-ctx.Done():
		s.leave(hash, at)
		return nil, fmt.Errorf("wait for another upload of the same picture: %w", ctx.Err())
	}
}

func (s *Store) leave(hash index.Hash, at *place) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if at.waiting--; at.waiting == 0 {
		delete(s.claims, hash)
	}
}

// Release gives the claim to the next.
func (c *Claim) Release() {
	<-c.place.turn
	c.store.leave(c.hash, c.place)
}

func (c *Claim) subfolder() string { return filepath.Join(c.store.folder, c.hash.String()[:2]) }
func (c *Claim) staged() string {
	return filepath.Join(c.subfolder(), "."+c.hash.String()+stagedSuffix)
}
func (c *Claim) note() string { return filepath.Join(c.subfolder(), "."+c.hash.String()+noteSuffix) }

// Keep sees to it that the content, whose hash must be the claim's, is on disk
// under its name, and gives the path, with an error too. It is pending until it is
// settled. A file that is there already stays as it is, when it is good. extension
// is the name of the format, in lower-case letters and digits.
func (c *Claim) Keep(data []byte, extension string) (string, error) {
	path := filepath.Join(c.subfolder(), c.hash.String()+"."+extension)
	if hash, ok := parseOriginal(filepath.Base(c.subfolder()), filepath.Base(path)); !ok || hash != c.hash {
		return "", fmt.Errorf("keep original: %q is not the name of a format", extension)
	}
	err := c.makeFolders()
	if err == nil {
		err = c.Pend()
	}
	if err == nil && !c.good(path, data) {
		err = c.write(path, data)
	}
	if err == nil {
		err = c.store.disk.SyncDir(c.subfolder())
	}
	if err != nil {
		return path, fmt.Errorf("keep original: %w", err)
	}
	return path, nil
}

// makeFolders makes the folder, once, and the subfolder. The folder above is the
// library's, and never made here.
func (c *Claim) makeFolders() error {
	s := c.store
	seen := s.seen.Load()
	if seen == nil {
		if err := s.disk.Mkdir(s.folder); err != nil {
			return err
		}
	}
	now, err := os.Stat(s.folder)
	if seen != nil && (errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(*seen, now)) {
		return hint.Wrap(fmt.Errorf("%s: %w", s.folder, ErrFolderGone), "put the folder of uploads back beside the library, or start the server again to go on in the one that is there now")
	}
	if err != nil {
		return err
	}
	if seen == nil {
		s.see(now)
	}
	return s.disk.Mkdir(c.subfolder())
}

// good reports whether a file holds the content, durably.
func (c *Claim) good(path string, data []byte) bool {
	file, stat, err := vfs.OpenRegular(path, false)
	if err != nil {
		return false
	}
	defer file.Close()
	if stat.Size() != int64(len(data)) {
		return false
	}
	found, err := io.ReadAll(io.LimitReader(file, int64(len(data))+1))
	return err == nil && bytes.Equal(found, data) && file.Sync() == nil
}

// write puts a file in place whole, and on disk, or not at all.
func (c *Claim) write(path string, data []byte) error {
	if err := remove(c.staged()); err != nil {
		return err
	}
	file, err := os.OpenFile(c.staged(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(c.staged(), path)
	}
	if err != nil {
		return errors.Join(err, remove(c.staged()))
	}
	return nil
}

// Pend notes that a commit is about to decide whether a record names the content's
// original. Should the process end before it is settled, the next one finds the
// note.
func (c *Claim) Pend() error {
	file, err := os.OpenFile(c.note(), os.O_WRONLY|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there is no folder, and so no original
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// Settle takes the note away: a record names the original, or nothing was changed.
func (c *Claim) Settle() error { return remove(c.note()) }

// Discard deletes an original that no record names, and settles the claim. Paths
// outside the folder are left alone.
func (c *Claim) Discard(paths ...string) error {
	problems := []error{remove(c.staged())}
	for _, path := range paths {
		if c.store.Contains(path) {
			problems = append(problems, remove(path))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return err // the note stays, for the next sweep
	}
	return c.Settle()
}

// remove deletes a file that may be missing.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

const (
	stagedSuffix = ".new"
	noteSuffix   = ".pending"
	// formerStaged begins the names under which earlier versions wrote uploads.
	formerStaged = ".upload-"
)

// parseOriginal gives the hash of a file that has the name of an original.
func parseOriginal(subfolder, name string) (index.Hash, bool) {
	digits, extension, _ := strings.Cut(name, ".")
	plain := extension != "" && len(extension) <= 16 && strings.Trim(extension, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
	hash, ok := parseHash(digits)
	return hash, ok && plain && strings.HasPrefix(digits, subfolder) && len(subfolder) == 2
}

func parseHash(digits string) (hash index.Hash, ok bool) {
	if len(digits) != 2*len(hash) || strings.ToLower(digits) != digits {
		return hash, false
	}
	_, err := hex.Decode(hash[:], []byte(digits))
	return hash, err == nil
}

// IsOriginal reports whether a record's file has the name of an original of it, in
// whatever folder that is.
func IsOriginal(record *index.Record, file index.File) bool {
	hash, ok := parseOriginal(filepath.Base(filepath.Dir(file.Path)), filepath.Base(file.Path))
	return ok && hash == record.Hash
}
