package local

import (
	"context"
	"errors"
	"fmt"
	"mekiki/index"
	"mekiki/index/internal/segment"
	"mekiki/internal/vfs"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// segmentLimit is the size beyond which a segment is not appended to.
const segmentLimit = 512 << 20

// segmentKey names a segment of a library.
type segmentKey struct {
	space  uint64
	kind   segment.Kind
	number uint64
}

func (k segmentKey) header() segment.Header {
	return segment.Header{Kind: k.kind, Number: k.number, Space: k.space}
}

// path is relative to the library's folder.
func (k segmentKey) path() string {
	return filepath.Join("spaces", fmt.Sprintf("%04d", k.space), fmt.Sprintf("%s-%08d.segment", k.kind, k.number))
}

// segmentFile is an open segment. The last reference closes it.
type segmentFile struct {
	key  segmentKey
	file vfs.File

	// size is the file's length when it was last asked for; it only grows.
	size atomic.Int64

	mutex      sync.Mutex
	references int
}

// sizeFor gives the file's length, asking again only when the one known does
// not reach to the end.
func (f *segmentFile) sizeFor(end int64) (int64, error) {
	if known := f.size.Load(); known >= end {
		return known, nil
	}
	size, err := f.file.Size()
	if err == nil {
		f.size.Store(size)
	}
	return size, err
}

func (f *segmentFile) retain() {
	f.mutex.Lock()
	f.references++
	f.mutex.Unlock()
}

func (f *segmentFile) release() error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.references--
	if f.references == 0 {
		return f.file.Close()
	}
	return nil
}

// segmentSet is an immutable set of open segments, each of which it holds one
// reference to.
type segmentSet map[segmentKey]*segmentFile

// with gives a set that has the added segments too and lacks those that keep
// refuses. The new set takes over the added segments' first references.
func (s segmentSet) with(added []*segmentFile, keep func(segmentKey) bool) segmentSet {
	next := make(segmentSet, len(s)+len(added))
	for key, file := range s {
		if keep == nil || keep(key) {
			file.retain()
			next[key] = file
		}
	}
	for _, file := range added {
		next[file.key] = file
	}
	return next
}

func (s segmentSet) release() error {
	var problems []error
	for _, file := range s {
		problems = append(problems, file.release())
	}
	return errors.Join(problems...)
}

// read reads and verifies one block.
func (s segmentSet) read(key segmentKey, id index.ID, x extent) ([]byte, error) {
	file, there := s[key]
	if !there {
		return nil, fmt.Errorf("%s: %w: the file is missing", key.path(), index.ErrDamaged)
	}
	size, err := file.sizeFor(x.offset + x.length)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key.path(), err)
	}
	payload, err := segment.ReadBlock(file.file, key.header(), size, uint64(id), x.offset, x.length)
	if errors.Is(err, segment.ErrDamaged) {
		return nil, fmt.Errorf("%s: %w: %w", key.path(), index.ErrDamaged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key.path(), err)
	}
	return payload, nil
}

// segmentsOf lists the segments that a state points into.
func segmentsOf(s *state) map[segmentKey]bool {
	keys := map[segmentKey]bool{}
	for _, space := range s.spaces {
		for _, l := range space.locations.all() {
			if l.vectors.length > 0 {
				keys[segmentKey{space.number, segment.Vectors, l.vectors.segment}] = true
			}
			if l.tokens.length > 0 {
				keys[segmentKey{space.number, segment.Tokens, l.tokens.segment}] = true
			}
		}
	}
	return keys
}

// openSegments opens segments; those that cannot be opened are left out, and
// reading from them will say so.
func openSegments(ctx context.Context, fsys vfs.FS, folder string, keys map[segmentKey]bool) (segmentSet, []error) {
	set, problems := segmentSet{}, []error(nil)
	for key := range keys {
		file, err := fsys.Open(filepath.Join(folder, key.path()))
		if err != nil {
			problems = append(problems, fmt.Errorf("open segment: %w", err))
			continue
		}
		if header, err := segment.ReadHeader(file); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key.path(), err))
		} else if header != key.header() {
			problems = append(problems, fmt.Errorf("%s: %w: the header names another segment", key.path(), index.ErrDamaged))
		}
		set[key] = &segmentFile{key: key, file: file, references: 1}
	}
	return set, problems
}

// segmentAppender appends blocks to the newest segment of one space and kind.
// Blocks are staged, then flushed and synced together.
type segmentAppender struct {
	fsys   vfs.FS
	folder string
	space  uint64
	kind   segment.Kind
	limit  int64

	current *segmentFile // nil until the first block, and after a failure
	size    int64        // durable bytes of current
	fresh   bool         // current is not in a published set yet
	staged  []byte
}

// stage adds a block and says where it will be. Next gives the number for a
// new segment.
func (a *segmentAppender) stage(id index.ID, payload []byte, next func() uint64) (extent, error) {
	if len(payload) > segment.MaxPayload {
		return extent{}, fmt.Errorf("%s of record %d: %d bytes are too many", a.kind, id, len(payload))
	}
	if a.current != nil && len(a.staged) == 0 && a.size >= a.limit {
		if err := a.drop(); err != nil {
			return extent{}, err
		}
	}
	if a.current == nil {
		if err := a.create(next()); err != nil {
			return extent{}, err
		}
	}
	offset := a.size + int64(len(a.staged))
	a.staged = segment.AppendBlock(a.staged, a.current.key.header(), segment.Block{Record: uint64(id), Payload: payload})
	return extent{segment: a.current.key.number, offset: offset, length: segment.BlockSize + int64(len(payload))}, nil
}

func (a *segmentAppender) create(number uint64) error {
	key := segmentKey{a.space, a.kind, number}
	name := filepath.Join(a.folder, key.path())
	if err := makeFolder(a.fsys, a.folder, filepath.Dir(name)); err != nil {
		return fmt.Errorf("create segment: %w", err)
	}
	file, err := segment.Create(a.fsys, name, key.header())
	if err != nil {
		return err
	}
	a.current = &segmentFile{key: key, file: file, references: 1}
	a.size, a.fresh = segment.HeaderSize, true
	return nil
}

// flush makes the staged blocks durable. After a failure nothing of them
// counts, and the next block goes to a new segment.
func (a *segmentAppender) flush() error {
	if len(a.staged) == 0 {
		return nil
	}
	_, err := a.current.file.WriteAt(a.staged, a.size)
	if err == nil {
		err = a.current.file.Sync()
	}
	if err == nil && a.fresh {
		err = a.fsys.SyncDir(filepath.Dir(filepath.Join(a.folder, a.current.key.path())))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", a.current.key.path(), err), a.undo())
	}
	a.size += int64(len(a.staged))
	a.unstage()
	return nil
}

func (a *segmentAppender) unstage() {
	if a.staged = a.staged[:0]; cap(a.staged) > 64<<20 {
		a.staged = nil
	}
}

// undo forgets what is staged or was flushed without being committed: the
// segment is given up, and removed when nothing was ever committed to it.
func (a *segmentAppender) undo() error {
	a.unstage()
	if a.current == nil {
		return nil
	}
	fresh, key := a.fresh, a.current.key
	err := a.drop()
	if fresh {
		err = errors.Join(err, a.fsys.Remove(filepath.Join(a.folder, key.path())))
	}
	return err
}

// drop lets go of the current segment.
func (a *segmentAppender) drop() error {
	file := a.current
	a.current, a.fresh, a.size = nil, false, 0
	return file.release()
}
