package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mekiki/internal/clustertest/storetest"
)

func openCache(tb testing.TB, folder string, size int64) *Cache {
	tb.Helper()
	cache, err := OpenCache(folder, size, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		tb.Fatal(err)
	}
	return cache
}

// counted counts what reaches a store.
type counted struct {
	Store
	reads atomic.Int64
	// hold, if any, is waited for in each reading.
	hold chan struct{}
}

func (c *counted) Get(ctx context.Context, key string) ([]byte, error) {
	c.reads.Add(1)
	if c.hold != nil {
		<-c.hold
	}
	return c.Store.Get(ctx, key)
}

func (c *counted) Range(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	c.reads.Add(1)
	return c.Store.Range(ctx, key, offset, length)
}

// never and always are of keys.
func never(string) bool  { return false }
func always(string) bool { return true }

// TestCachedStore: a store with a cache keeps its promises for what may change, and where nothing is kept.
func TestCachedStore(t *testing.T) {
	for name, cached := range map[string]func(Store) *Cached{
		"nothing kept": func(s Store) *Cached { return NewCached(s, openCache(t, t.TempDir(), 0), always) },
		"all changing": func(s Store) *Cached { return NewCached(s, openCache(t, t.TempDir(), 1<<30), never) },
	} {
		t.Run(name, func(t *testing.T) {
			testStore(t, cached(open(t, at(storetest.StartMemory(t, "bucket")))))
		})
	}
}

// TestCache: what was read is not read again, by this process and the next, until it is damaged or gone.
func TestCache(t *testing.T) {
	ctx, folder := t.Context(), t.TempDir()
	behind := &counted{Store: open(t, at(storetest.StartMemory(t, "bucket")))}
	data := noise(3 * blockSize)
	if err := behind.Put(ctx, "key", data); err != nil {
		t.Fatal(err)
	}
	check := func(step string, store *Cached, want int64) {
		t.Helper()
		for range 3 {
			if err := errors.Join(same(data)(store.Get(ctx, "key")), same(data[7:blockSize])(store.Range(ctx, "key", 7, blockSize-7))); err != nil {
				t.Fatalf("%s: %v", step, err)
			}
		}
		if got := behind.reads.Swap(0); got != want {
			t.Errorf("%s: read %d times, expected %d", step, got, want)
		}
	}
	check("first", NewCached(behind, openCache(t, folder, 1<<30), always), 2)
	store := NewCached(behind, openCache(t, folder, 1<<30), always)
	check("another process", store, 0)
	for i, spoil := range []func(path string, content []byte) error{
		func(path string, content []byte) error {
			content[len(content)/2] ^= 4
			return os.WriteFile(path, content, 0o600)
		},
		func(path string, content []byte) error { return os.WriteFile(path, content[:len(content)/2], 0o600) },
		func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) },
		func(path string, _ []byte) error { return os.WriteFile(path, frame("other", []byte("x"), 0), 0o600) },
		func(path string, _ []byte) error { return os.Truncate(path, framedMaximum+1) },
		func(path string, _ []byte) error { return os.Remove(path) },
		func(path string, _ []byte) error {
			return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "x"), 0o700))
		},
	} {
		path := store.cache.folder.File(fileOf("key"))
		content, err := os.ReadFile(path)
		if err = errors.Join(err, spoil(path, content)); err != nil {
			t.Fatal(err)
		}
		if i == 6 { // a folder in its place: read each time
			check("a folder", store, 3)
			continue
		}
		check(fmt.Sprint("spoilt ", i), store, 1)
	}
	if _, err := store.Get(ctx, "absent"); !errors.Is(err, ErrAbsent) {
		t.Error(err)
	}
}

// TestCacheIsBounded: the folder takes what it may, what is used stays, and files of others too.
func TestCacheIsBounded(t *testing.T) {
	folder := t.TempDir()
	const size = 1 << 20
	cache := openCache(t, folder, size)
	theirs := filepath.Join(folder, "objects", "ab", "theirs.txt")
	if err := errors.Join(os.MkdirAll(filepath.Dir(theirs), 0o700), os.WriteFile(theirs, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for i := range 120 {
		cache.Put(fmt.Sprint(i), noise(20<<10))
	}
	if used := bytesBelow(t, folder); used > size+size/4 || used < size/2 {
		t.Errorf("the cache takes %d of %d", used, size)
	}
	if _, kept := cache.Get("119"); !kept {
		t.Error("the last piece is gone")
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Error(err)
	}
}

func bytesBelow(tb testing.TB, folder string) (total int64) {
	tb.Helper()
	err := filepath.WalkDir(folder, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		stat, err := entry.Info()
		total += stat.Size()
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return total
}

// TestManyAskOnce: several who ask at a time cause one reading.
func TestManyAskOnce(t *testing.T) {
	behind := &counted{Store: open(t, at(storetest.StartMemory(t, "bucket"))), hold: make(chan struct{})}
	store := NewCached(behind, openCache(t, t.TempDir(), 1<<30), always)
	data := noise(1000)
	if err := store.Put(t.Context(), "key", data); err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			if err := same(data)(store.Get(t.Context(), "key")); err != nil {
				t.Error(err)
			}
		})
	}
	close(behind.hold)
	asking.Wait()
	if got := behind.reads.Load(); got > 3 { // late ones may find neither the reading nor the file yet
		t.Errorf("read %d times", got)
	}
}

// TestManyProcesses: caches of several processes in one folder never give anything else than what was written.
func TestManyProcesses(t *testing.T) {
	folder := t.TempDir()
	var working sync.WaitGroup
	for worker := range 4 {
		working.Go(func() {
			cache := openCache(t, folder, 1<<20)
			for i := range 100 {
				key := fmt.Sprint((i * (worker + 1)) % 40)
				want := bytes.Repeat([]byte(key), 5000)
				if got, kept := cache.Get(key); kept && !bytes.Equal(got, want) {
					t.Errorf("%s: other bytes", key)
				}
				cache.Put(key, want)
			}
		})
	}
	working.Wait()
}

func TestCacheFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCache(filepath.Join(file, "cache"), 1, slog.Default()); err == nil || !strings.Contains(err.Error(), "cache of the store") {
		t.Error(err)
	}
}
