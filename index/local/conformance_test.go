package local

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/conformance"
	"mekiki/index/indextest"
	"mekiki/internal/vfs/vfstest"
)

// TestConformance holds the library to the contract: in memory, and on the disk, closed and
// opened again between writing and reading.
func TestConformance(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		conformance.Test(t, func(t *testing.T) index.Library {
			return openTest(t, "/library", Options{FileSystem: vfstest.NewMemory(), Now: clock()})
		})
	})
	t.Run("reopened", func(t *testing.T) {
		conformance.Test(t, func(t *testing.T) index.Library {
			r := &reopened{t: t, folder: filepath.Join(t.TempDir(), "library"), now: clock()}
			r.Library = openTest(t, r.folder, Options{Now: r.now})
			return r
		})
	})
}

// clock gives a second more each time it is asked.
func clock() func() time.Time {
	var seconds atomic.Int64
	return func() time.Time { return indextest.Time.Add(time.Duration(seconds.Add(1)) * time.Second) }
}

// reopened is a library that is closed and opened again when it is read after a write, but
// for when a reader is open, which can find no words after that.
type reopened struct {
	*Library
	t       *testing.T
	folder  string
	now     func() time.Time
	mutex   sync.Mutex
	readers int
	written bool
	closed  bool
}

func (r *reopened) Reader(ctx context.Context) (index.Reader, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.written && r.readers == 0 && !r.closed && ctx.Err() == nil {
		if err := r.Library.Close(); err != nil {
			return nil, err
		}
		r.Library, r.written = openTest(r.t, r.folder, Options{Now: r.now}), false
	}
	reader, err := r.Library.Reader(ctx)
	if err != nil {
		return nil, err
	}
	r.readers++
	return &countedReader{Reader: reader, library: r}, nil
}

// countedReader tells its library when it is closed.
type countedReader struct {
	index.Reader
	library *reopened
	once    sync.Once
}

func (c *countedReader) Close() error {
	c.once.Do(func() {
		c.library.mutex.Lock()
		defer c.library.mutex.Unlock()
		c.library.readers--
	})
	return c.Reader.Close()
}

func (r *reopened) change(change func(*Library) error) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.written = true
	return change(r.Library)
}

func (r *reopened) Write(ctx context.Context, batch index.Batch) (result index.WriteResult, err error) {
	err = r.change(func(l *Library) (err error) { result, err = l.Write(ctx, batch); return err })
	return result, err
}

func (r *reopened) AddSpace(ctx context.Context, space embed.Space) error {
	return r.change(func(l *Library) error { return l.AddSpace(ctx, space) })
}

func (r *reopened) ServeSpace(ctx context.Context, space embed.Space) error {
	return r.change(func(l *Library) error { return l.ServeSpace(ctx, space) })
}

func (r *reopened) RollbackSpace(ctx context.Context) error {
	return r.change(func(l *Library) error { return l.RollbackSpace(ctx) })
}

func (r *reopened) DropSpace(ctx context.Context, space embed.Space) error {
	return r.change(func(l *Library) error { return l.DropSpace(ctx, space) })
}

func (r *reopened) Close() error {
	return r.change(func(l *Library) error { r.closed = true; return l.Close() })
}
