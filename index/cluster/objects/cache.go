package objects

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sync/singleflight"

	"mekiki/internal/diskcache"
	"mekiki/internal/flight"
)

// Cache keeps pieces of the store that never change on the disk of this machine. What is
// damaged there is removed and not given. Several processes may use its folder; its methods
// may be called from any goroutine.
type Cache struct {
	folder *diskcache.Folder
	logger *slog.Logger
}

// OpenCache makes a cache in a folder, which is made if need be, that takes so many bytes.
// With none it keeps nothing.
func OpenCache(folder string, bytes int64, logger *slog.Logger) (*Cache, error) {
	cache := &Cache{folder: &diskcache.Folder{Root: folder, Maximum: bytes, Ours: isCached}, logger: logger}
	if bytes <= 0 {
		return cache, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("cache of the store: %w", err)
	}
	cache.folder.Path = filepath.Join(folder, "objects")
	return cache, nil
}

// fileOf is the name of the file of a piece.
func fileOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func isCached(name string) bool {
	digits, err := hex.DecodeString(name)
	return err == nil && len(digits) == sha256.Size
}

// Get gives a piece; false when it is not kept.
func (c *Cache) Get(key string) ([]byte, bool) {
	name := fileOf(key)
	file, stat, err := c.folder.Open(name)
	if err != nil {
		return nil, false
	}
	defer file.Close()
	var data []byte
	if stat.Size() > framedMaximum {
		err = damaged(key, "%d bytes", stat.Size())
	} else {
		data = make([]byte, stat.Size())
		if _, err = io.ReadFull(file, data); err == nil {
			data, err = unframe(key, data)
		}
	}
	if err != nil {
		c.logger.Warn("a piece in the cache of the store is damaged, and read again", "error", errors.Join(err, c.folder.Remove(name)))
		return nil, false
	}
	return data, true
}

// Put keeps a piece, if there is room.
func (c *Cache) Put(key string, data []byte) {
	err := c.folder.Write(fileOf(key), func(to io.Writer) error {
		_, err := to.Write(frame(key, data, 0))
		return err
	})
	if err != nil && !errors.Is(err, diskcache.ErrNotKept) {
		c.logger.Warn("keep a piece of the store in the cache", "error", err)
	}
}

// Remove forgets a piece.
func (c *Cache) Remove(key string) {
	if err := c.folder.Remove(fileOf(key)); err != nil {
		c.logger.Warn("remove a piece of the store from the cache", "error", err)
	}
}

// Cached is a store with a cache before it. Several who ask for one thing at a time read it
// once, and share what they get: read it, never write to it.
type Cached struct {
	Store
	cache      *Cache
	unchanging func(key string) bool
	reading    singleflight.Group
}

// NewCached puts a cache before a store, for the objects of which unchanging says that
// nobody ever puts others in their place.
func NewCached(store Store, cache *Cache, unchanging func(key string) bool) *Cached {
	return &Cached{Store: store, cache: cache, unchanging: unchanging}
}

// Get gives an object whole.
func (c *Cached) Get(ctx context.Context, key string) ([]byte, error) {
	return c.through(ctx, key, key, func() ([]byte, error) { return c.Store.Get(ctx, key) })
}

// Range gives a part of an object. Another part of it is another piece.
func (c *Cached) Range(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	return c.through(ctx, key, fmt.Sprintf("%s %d+%d", key, offset, length), func() ([]byte, error) { return c.Store.Range(ctx, key, offset, length) })
}

// through gives a piece of an object from the cache, or reads and keeps it.
func (c *Cached) through(ctx context.Context, key, piece string, read func() ([]byte, error)) ([]byte, error) {
	if !c.unchanging(key) {
		return read()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if data, kept := c.cache.Get(piece); kept {
		return data, nil
	}
	return flight.Do(ctx, &c.reading, piece, func() ([]byte, error) {
		data, err := read()
		if err == nil {
			c.cache.Put(piece, data)
		}
		return data, err
	})
}

// Delete deletes objects. Parts of them may stay in caches until others need the room.
func (c *Cached) Delete(ctx context.Context, keys ...string) error {
	err := c.Store.Delete(ctx, keys...)
	for _, key := range keys {
		c.cache.Remove(key)
	}
	return err
}
