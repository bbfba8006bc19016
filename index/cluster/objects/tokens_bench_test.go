package objects

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"mekiki/internal/clustertest"
)

// BenchmarkColdTokens reads the image tokens of ViT-g in int8 of the 16 hits that are read again: from files of this
// machine, from a store on the loopback interface, through an empty cache, and from the cache.
func BenchmarkColdTokens(b *testing.B) {
	const reranked, size = 16, 362 << 10
	gateway := clustertest.StartVersitygw(b, []string{"bucket"})
	store := open(b, ofGateway(gateway.Address()))
	folder := b.TempDir()
	var keys []string
	for i := range reranked {
		data := noise(size - i)
		keys = append(keys, fmt.Sprint("tokens/", i))
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), data, 0o600); err != nil {
			b.Fatal(err)
		}
		if err := store.Put(b.Context(), keys[i], data); err != nil {
			b.Fatal(err)
		}
	}
	cached := func() *Cached {
		cache, err := OpenCache(b.TempDir(), 1<<30, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			b.Fatal(err)
		}
		return NewCached(store, cache, func(string) bool { return true })
	}
	get := func(from Store) error {
		var group errgroup.Group
		for _, key := range keys {
			group.Go(func() error { _, err := from.Get(b.Context(), key); return err })
		}
		return group.Wait()
	}
	kept := cached()
	for _, run := range []struct {
		name string
		read func() error
	}{
		{"files", func() error {
			for _, key := range keys {
				if _, err := os.ReadFile(filepath.Join(folder, strings.TrimPrefix(key, "tokens/"))); err != nil {
					return err
				}
			}
			return nil
		}},
		{"store", func() error { return get(store) }},
		{"into a cache", func() error { return get(cached()) }},
		{"cache", func() error { return get(kept) }},
	} {
		b.Run(run.name, func(b *testing.B) {
			b.SetBytes(reranked * size)
			for b.Loop() {
				if err := run.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
