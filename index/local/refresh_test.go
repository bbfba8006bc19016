package local

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/keyword"
	"mekiki/internal/vfs/vfstest"
)

// TestReaderReplaysLog: after each of many random changes by the writer, with
// short logs and segments, a reader answers as the writer does, and reads the
// library anew only where another space serves or compaction has taken the log
// away.
func TestReaderReplaysLog(t *testing.T) {
	steps := 30
	if testing.Short() {
		steps = 10
	}
	for seed := range uint64(3) {
		folder := filepath.Join(t.TempDir(), "library")
		writer := openTest(t, folder, Options{CheckpointBytes: 9000, SegmentBytes: 3000})
		fill(t, writer, 4)
		reader := openTest(t, folder, Options{ReadOnly: true})
		oracle := newOracle()
		for number := range uint64(4) {
			oracle.images[number] = present
		}
		random := rand.New(rand.NewPCG(seed, 3))
		for i := range steps {
			step := randomStep(random)
			before := reader.derived
			serves := servingOf(reader)
			compacted := false
			// Not every commit is followed by itself.
			for range 1 + random.IntN(3) {
				indextest.Must(t, step.do(t, writer))
				step.note(oracle, nil)
				compacted = compacted || step.name == "compact"
				step = randomStep(random)
			}
			if _, err := reader.Refresh(t.Context()); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
			if reader.derived != before && servingOf(reader) == serves && !compacted {
				t.Errorf("seed %d, step %d: the reader read everything again", seed, i)
			}
			if diff := cmp.Diff(answers(t, writer), answers(t, reader)); diff != "" {
				t.Fatalf("seed %d, step %d: the reader differs from the writer:\n%s", seed, i, diff)
			}
			if err := oracle.verify(t, reader); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
		}
	}
}

func randomStep(random *rand.Rand) step {
	number := random.Uint64N(12)
	switch random.IntN(12) {
	case 0:
		return compactStep()
	case 1:
		return switchStep()
	case 2:
		return rollbackStep()
	case 3, 4, 5:
		return removeStep(number)
	}
	return putStep(number, number+1)
}

func servingOf(l *Library) string {
	snapshot := l.Snapshot()
	defer snapshot.Close()
	space, _ := snapshot.Space()
	return space.String()
}

// TestReaderFindsAnotherLibrary: a library that was deleted and made again under
// a reader is read anew.
func TestReaderFindsAnotherLibrary(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	first, err := Open(t.Context(), folder, Options{})
	indextest.Must(t, err)
	fill(t, first, 6)
	reader := openTest(t, folder, Options{ReadOnly: true})
	indextest.Must(t, first.Close())
	indextest.Must(t, os.RemoveAll(folder))
	second := openTest(t, folder, Options{})
	fill(t, second, 2)
	if _, err := reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(answers(t, second), answers(t, reader)); diff != "" {
		t.Errorf("the reader differs:\n%s", diff)
	}
}

// TestReaderKeepsVectors: a reader that reads the catalog anew after compaction reads
// no vectors again, and reads all of a library that was put back to an earlier state
// and went on from there.
func TestReaderKeepsVectors(t *testing.T) {
	files := vfstest.NewMemory()
	open := func(options Options) *Library {
		options.FileSystem, options.Now = files, func() time.Time { return indextest.Time }
		library, err := Open(t.Context(), "/library", options)
		indextest.Must(t, err)
		return library
	}
	writer := open(Options{})
	fill(t, writer, 12)
	indextest.Must(t, writer.Close())
	earlier := files.Files()
	writer = open(Options{})
	mustWrite(t, writer, index.Batch{Puts: []index.Put{indextest.Image(t, 20, indextest.Small), indextest.Image(t, 21, indextest.Small)}})
	reader := open(Options{ReadOnly: true})
	defer func() { indextest.Must(t, reader.Close()) }()
	follow := func(keeps bool) {
		t.Helper()
		before := reader.derived
		if changed, err := reader.Refresh(t.Context()); err != nil || !changed {
			t.Fatalf("refresh: %v, %v", changed, err)
		}
		if kept := reader.derived.vectors == before.vectors; reader.derived == before || kept != keeps {
			t.Errorf("catalog read anew: %v; vectors kept: %v, expected %v", reader.derived != before, kept, keeps)
		}
		if diff := cmp.Diff(answers(t, writer), answers(t, reader)); diff != "" {
			t.Fatalf("the reader differs from the writer:\n%s", diff)
		}
	}
	indextest.Must(t, writer.Remove(t.Context(), 3))
	_, err := writer.Compact(t.Context())
	indextest.Must(t, err)
	follow(true)
	indextest.Must(t, writer.Close())
	for name := range files.Files() {
		indextest.Must(t, files.Remove(name))
	}
	for name, data := range earlier {
		files.Put(name, data)
	}
	writer = open(Options{})
	defer func() { indextest.Must(t, writer.Close()) }()
	mustWrite(t, writer, index.Batch{Puts: []index.Put{indextest.Image(t, 30, indextest.Small), indextest.Image(t, 21, indextest.Small)}})
	indextest.Must(t, writer.Remove(t.Context(), 5))
	_, err = writer.Compact(t.Context())
	indextest.Must(t, err)
	_, err = writer.Compact(t.Context())
	indextest.Must(t, err)
	follow(false)
}

// TestSnapshotOutlivesRefresh: a snapshot that was taken before a reader read
// everything anew answers as before, words included, and what it held is let go
// with it.
func TestSnapshotOutlivesRefresh(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	writer := openTest(t, folder, Options{})
	fill(t, writer, 6)
	reader := openTest(t, folder, Options{ReadOnly: true})
	before := reader.derived
	snapshot := reader.Snapshot()
	search := func() []index.KeywordHit {
		hits, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "dog"}, 10, index.Filter{})
		if err != nil {
			t.Error(err)
		}
		return hits
	}
	want := search()
	indextest.Must(t, writer.Remove(t.Context(), 6))
	_, err := writer.Compact(t.Context())
	indextest.Must(t, err)
	if changed, err := reader.Refresh(t.Context()); err != nil || !changed || reader.derived == before {
		t.Fatalf("the reader did not read everything anew: %v, %v", changed, err)
	}
	if diff := cmp.Diff(want, search()); diff != "" {
		t.Errorf("the snapshot of before:\n%s", diff)
	}
	indextest.Must(t, snapshot.Close())
	if _, err := before.keywordStore.Index.Reader(); !errors.Is(err, keyword.ErrUnusable) {
		t.Errorf("the words of before are still open: %v", err)
	}
}
