package packs

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/internal/clustertest"
)

// tokensOfImage is what the image tokens of ViT-g take in int8, and reranked how many hits are read again.
const (
	tokensOfImage = 362 << 10
	reranked      = 16
)

// BenchmarkColdTokens reads the image tokens of 16 hits: from files on this machine, and from
// a store on the loopback interface: an object each, a pack each, one pack, and from a cache.
func BenchmarkColdTokens(b *testing.B) {
	gateway := clustertest.StartVersitygw(b, []string{"bucket"})
	store, err := objects.Open(settings.Store{Address: gateway.Address(), Bucket: "bucket", Region: "us-east-1", AccessKey: clustertest.OwnerAccess, SecretKey: clustertest.OwnerSecret})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	folder := b.TempDir()
	var keys []string
	var places, together []Place
	var one Builder
	for i := range reranked {
		data := make([]byte, tokensOfImage)
		for j := range data {
			data[j] = byte(i * j)
		}
		name := fmt.Sprintf("tokens/%d", i)
		keys = append(keys, name)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), data, 0o600); err != nil {
			b.Fatal(err)
		}
		if err := store.Put(b.Context(), name, data); err != nil {
			b.Fatal(err)
		}
		var builder Builder
		for other := range 16 { // those of other pictures lie about it
			filler := data[:len(data)-other]
			if other == 7 {
				filler = data
				builder.Add(name, filler)
			}
			builder.Add(fmt.Sprint("other/", i, "/", other), filler)
		}
		one.Add(name, data)
		written, err := builder.Write(b.Context(), store, "packs/")
		if err != nil {
			b.Fatal(err)
		}
		places = append(places, written.Places[name])
	}
	written, err := one.Write(b.Context(), store, "packs/")
	if err != nil {
		b.Fatal(err)
	}
	for _, key := range keys {
		together = append(together, written.Places[key])
	}
	cache, err := objects.OpenCache(b.TempDir(), 1<<30, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	read := func(reader *Reader, places []Place) func() error {
		return func() error {
			got, err := reader.Read(b.Context(), places)
			for _, piece := range got {
				if piece.Err != nil || len(piece.Data) != tokensOfImage {
					return fmt.Errorf("%d bytes, %w", len(piece.Data), piece.Err)
				}
			}
			return err
		}
	}
	for _, run := range []struct {
		name string
		read func() error
	}{
		{"files", func() error {
			for i := range reranked {
				if _, err := os.ReadFile(filepath.Join(folder, fmt.Sprint(i))); err != nil {
					return err
				}
			}
			return nil
		}},
		{"objects", func() error {
			var group errgroup.Group
			for _, key := range keys {
				group.Go(func() error { _, err := store.Get(b.Context(), key); return err })
			}
			return group.Wait()
		}},
		{"packs", read(NewReader(store, nil), places)},
		{"one pack", read(NewReader(store, nil), together)},
		{"packs into a cache", func() error {
			fresh, err := objects.OpenCache(b.TempDir(), 1<<30, slog.New(slog.NewTextHandler(io.Discard, nil)))
			if err != nil {
				return err
			}
			return read(NewReader(store, fresh), places)()
		}},
		{"cache", read(NewReader(store, cache), places)},
	} {
		b.Run(run.name, func(b *testing.B) {
			b.SetBytes(reranked * tokensOfImage)
			for b.Loop() {
				if err := run.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
