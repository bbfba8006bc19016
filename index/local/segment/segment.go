package segment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"mekiki/index"
	"mekiki/index/local/block"
	"mekiki/internal/vfs"
)

// Key names a segment of a library.
type Key struct {
	Space  uint64
	Kind   block.Kind
	Number uint64
}

// Header is the header of the segment's file.
func (k Key) Header() block.Header {
	return block.Header{Kind: k.Kind, Number: k.Number, Space: k.Space}
}

// Path is relative to the library's folder.
func (k Key) Path() string {
	return filepath.Join(Folder, fmt.Sprintf("%04d", k.Space), fmt.Sprintf("%s-%08d.segment", k.Kind, k.Number))
}

// File is an open segment. The last reference closes it.
type File struct {
	Key  Key
	File vfs.File

	// size is the file's length when it was last asked for; it only grows.
	size atomic.Int64

	mutex      sync.Mutex
	References int
}

// sizeFor gives the file's length, asking again only when the one known does
// not reach to the end.
func (f *File) sizeFor(end int64) (int64, error) {
	if known := f.size.Load(); known >= end {
		return known, nil
	}
	size, err := f.File.Size()
	if err == nil {
		f.size.Store(size)
	}
	return size, err
}

// Retain adds a user.
func (f *File) Retain() {
	f.mutex.Lock()
	f.References++
	f.mutex.Unlock()
}

func (f *File) release() error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.References--
	if f.References == 0 {
		return f.File.Close()
	}
	return nil
}

// Set is an immutable set of open segments, each of which it holds one
// reference to.
type Set map[Key]*File

// With gives a set that has the added segments too and lacks those that keep
// refuses. The new set takes over the added segments' first references.
func (s Set) With(added []*File, keep func(Key) bool) Set {
	next := make(Set, len(s)+len(added))
	for key, file := range s {
		if keep == nil || keep(key) {
			file.Retain()
			next[key] = file
		}
	}
	for _, file := range added {
		next[file.Key] = file
	}
	return next
}

// Release ends a use; the last one frees what it holds.
func (s Set) Release() error {
	var problems []error
	for _, file := range s {
		problems = append(problems, file.release())
	}
	return errors.Join(problems...)
}

// Read reads and verifies one block.
func (s Set) Read(key Key, id index.ID, x Extent) ([]byte, error) {
	file, there := s[key]
	if !there {
		return nil, fmt.Errorf("%s: %w: the file is missing", key.Path(), index.ErrDamaged)
	}
	size, err := file.sizeFor(x.Offset + x.Length)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key.Path(), err)
	}
	payload, err := block.ReadBlock(file.File, key.Header(), size, uint64(id), x.Offset, x.Length)
	if errors.Is(err, block.ErrDamaged) {
		return nil, fmt.Errorf("%s: %w: %w", key.Path(), index.ErrDamaged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key.Path(), err)
	}
	return payload, nil
}

// Open opens segments; those that cannot be opened are left out, and
// reading from them will say so.
func Open(ctx context.Context, fsys vfs.FS, folder string, keys map[Key]bool) (Set, []error) {
	set, problems := Set{}, []error(nil)
	for key := range keys {
		file, err := fsys.Open(filepath.Join(folder, key.Path()))
		if err != nil {
			problems = append(problems, fmt.Errorf("open segment: %w", err))
			continue
		}
		if header, err := block.ReadHeader(file); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key.Path(), err))
		} else if header != key.Header() {
			problems = append(problems, fmt.Errorf("%s: %w: the header names another segment", key.Path(), index.ErrDamaged))
		}
		set[key] = &File{Key: key, File: file, References: 1}
	}
	return set, problems
}

// Appender appends blocks to the newest segment of one space and kind.
// Blocks are staged, then flushed and synced together.
type Appender struct {
	Fsys   vfs.FS
	Folder string
	Space  uint64
	Kind   block.Kind
	Limit  int64

	Current *File // nil until the first block, and after a failure
	Size    int64 // durable bytes of current
	Fresh   bool  // current is not in a published set yet
	staged  []byte
}

// Stage adds a block and says where it will be. Next gives the number for a
// new segment.
func (a *Appender) Stage(id index.ID, payload []byte, next func() uint64) (Extent, error) {
	if len(payload) > block.MaxPayload {
		return Extent{}, fmt.Errorf("%s of record %d: %d bytes are too many", a.Kind, id, len(payload))
	}
	if a.Current != nil && len(a.staged) == 0 && a.Size >= a.Limit {
		if err := a.Drop(); err != nil {
			return Extent{}, err
		}
	}
	if a.Current == nil {
		if err := a.create(next()); err != nil {
			return Extent{}, err
		}
	}
	offset := a.Size + int64(len(a.staged))
	a.staged = block.AppendBlock(a.staged, a.Current.Key.Header(), block.Block{Record: uint64(id), Payload: payload})
	return Extent{Segment: a.Current.Key.Number, Offset: offset, Length: block.BlockSize + int64(len(payload))}, nil
}

func (a *Appender) create(number uint64) error {
	key := Key{a.Space, a.Kind, number}
	name := filepath.Join(a.Folder, key.Path())
	if err := vfs.MkdirBelow(a.Fsys, a.Folder, filepath.Dir(name)); err != nil {
		return fmt.Errorf("create segment: %w", err)
	}
	file, err := block.Create(a.Fsys, name, key.Header())
	if err != nil {
		return err
	}
	a.Current = &File{Key: key, File: file, References: 1}
	a.Size, a.Fresh = block.HeaderSize, true
	return nil
}

// Flush makes the staged blocks durable. After a failure nothing of them
// counts, and the next block goes to a new segment.
func (a *Appender) Flush() error {
	if len(a.staged) == 0 {
		return nil
	}
	_, err := a.Current.File.WriteAt(a.staged, a.Size)
	if err == nil {
		err = a.Current.File.Sync()
	}
	if err == nil && a.Fresh {
		err = a.Fsys.SyncDir(filepath.Dir(filepath.Join(a.Folder, a.Current.Key.Path())))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", a.Current.Key.Path(), err), a.Undo())
	}
	a.Size += int64(len(a.staged))
	a.Unstage()
	return nil
}

// Unstage forgets what is staged.
func (a *Appender) Unstage() {
	if a.staged = a.staged[:0]; cap(a.staged) > 64<<20 {
		a.staged = nil
	}
}

// Undo forgets what is staged or was flushed without being committed: the
// segment is given up, and removed when nothing was ever committed to it.
func (a *Appender) Undo() error {
	a.Unstage()
	if a.Current == nil {
		return nil
	}
	fresh, key := a.Fresh, a.Current.Key
	err := a.Drop()
	if fresh {
		err = errors.Join(err, a.Fsys.Remove(filepath.Join(a.Folder, key.Path())))
	}
	return err
}

// Drop lets go of the current segment.
func (a *Appender) Drop() error {
	file := a.Current
	a.Current, a.Fresh, a.Size = nil, false, 0
	return file.release()
}

// Compare orders two moments, the earlier first.
func Compare(a, b Key) int {
	for _, pair := range [][2]uint64{{a.Space, b.Space}, {uint64(a.Kind), uint64(b.Kind)}, {a.Number, b.Number}} {
		if pair[0] != pair[1] {
			if pair[0] < pair[1] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// Owner is the space and kind whose blocks an appender writes.
type Owner struct {
	Space uint64
	Kind  block.Kind
}

// Extent is one block in a segment, its header included.
type Extent struct {
	Segment uint64
	Offset  int64
	Length  int64
}
