package ingest

import (
	"fmt"
	"path/filepath"
	"testing"
)

// BenchmarkUnchanged measures a run over 10,000 files that are all known.
func BenchmarkUnchanged(b *testing.B) {
	const files = 10_000
	folder := b.TempDir()
	photos := filepath.Join(folder, "photos")
	for seed := range uint64(files) {
		write(b, append(testImage(b, seed%64, 8, 8), fmt.Sprint(seed)...), photos, fmt.Sprint(seed%100), fmt.Sprint(seed)+".jpg")
	}
	library := openLibrary(b, filepath.Join(folder, "library"))
	engine := newCounting("one")
	mustRun(b, library, engine, Options{Paths: []string{photos}, BatchSize: 1000})
	before := engine.images.Load()
	for b.Loop() {
		if summary := mustRun(b, library, engine, Options{Paths: []string{photos}}); summary.Unchanged != files {
			b.Fatalf("%+v", summary)
		}
	}
	if engine.images.Load() != before {
		b.Fatal("the model was asked")
	}
}
