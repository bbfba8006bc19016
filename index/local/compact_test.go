package local

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
	"mekiki/index/local/thumbnail"
	"mekiki/internal/vfs"
	"mekiki/internal/vfs/vfstest"
)

// TestCompactForgetsThumbnails: the pictures of records that are gone go with the
// rest of them, and those of the others stay.
func TestCompactForgetsThumbnails(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library := openTest(t, folder, Options{})
	fill(t, library, 6)
	stray := filepath.Join(folder, catalog.DerivedFolder, thumbnail.Folder, "readme.txt")
	indextest.Must(t, os.WriteFile(stray, []byte("x"), 0o644))
	indextest.Must(t, library.Remove(t.Context(), 2, 4))
	_, err := library.Compact(t.Context())
	indextest.Must(t, err)
	thumbs := library.derived.thumbs
	for number := range uint64(6) {
		_, err := thumbs.Read(indextest.Image(t, number, indextest.Small).Record.Hash)
		if gone := number == 1 || number == 3; gone != os.IsNotExist(err) || !gone && err != nil {
			t.Errorf("image %d: %v", number, err)
		}
	}
	if _, err := os.Stat(stray); err != nil {
		t.Error(err)
	}
}

// TestDropSpaceForgetsLists: what was built from a space's vectors goes with them.
func TestDropSpaceForgetsLists(t *testing.T) {
	files := vfstest.NewMemory()
	options := Options{FileSystem: files, approximateFrom: 6}
	first := openTest(t, "/library", options)
	fill(t, first, 6)
	indextest.Must(t, switchStep().do(t, first))
	indextest.Must(t, first.Close())
	lists := func() (names []string) {
		for name := range files.Files() {
			if strings.HasSuffix(name, ".graph") {
				names = append(names, name)
			}
		}
		return names
	}
	library := openTest(t, "/library", options)
	if names := lists(); len(names) == 0 {
		t.Fatal("no lists were saved")
	}
	indextest.Must(t, library.ServeSpace(t.Context(), indextest.Small))
	indextest.Must(t, library.DropSpace(t.Context(), second))
	for _, name := range lists() {
		if !strings.Contains(name, "/0001-") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestCompactInPieces: compaction holds a small part of a segment in memory at a time.
func TestCompactInPieces(t *testing.T) {
	memory := vfstest.NewMemory()
	files := &largestWrite{Memory: memory}
	options := Options{FileSystem: files, SegmentBytes: 16_000}
	library := openTest(t, "/library", options)
	fill(t, library, 120)
	indextest.Must(t, library.Remove(t.Context(), 1, 5, 6, 7, 8, 9, 10, 11, 12, 20, 30, 31, 32, 33, 34, 35, 36, 37, 40, 41, 42, 43))
	before := answers(t, library)
	files.largest = 0
	result, err := library.Compact(t.Context())
	indextest.Must(t, err)
	if result.Segments == 0 || files.largest == 0 || files.largest > 3000 {
		t.Errorf("%d segments; the largest write had %d bytes", result.Segments, files.largest)
	}
	if diff := compareAnswers(before, answers(t, library)); diff != "" {
		t.Errorf("compaction changed answers:\n%s", diff)
	}
}

// largestWrite notes the largest write to a segment.
type largestWrite struct {
	*vfstest.Memory
	largest int
}

type notedFile struct {
	vfs.File
	fsys *largestWrite
}

func (f *largestWrite) Create(name string) (vfs.File, error) {
	file, err := f.Memory.Create(name)
	if err == nil && strings.HasSuffix(name, ".segment") {
		file = notedFile{file, f}
	}
	return file, err
}

func (f notedFile) WriteAt(p []byte, offset int64) (int, error) {
	f.fsys.largest = max(f.fsys.largest, len(p))
	return f.File.WriteAt(p, offset)
}

// TestReaderSaysThatItIndexesWords: a reader that cannot copy the keyword index makes
// its own, which takes long in a large library, and says why.
func TestReaderSaysThatItIndexesWords(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	writer := openTest(t, folder, Options{})
	fill(t, writer, 3)
	indextest.Must(t, writer.Close())
	indextest.Must(t, os.RemoveAll(filepath.Join(folder, catalog.DerivedFolder)))
	var log bytes.Buffer
	reader := openTest(t, folder, Options{ReadOnly: true, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if !strings.Contains(log.String(), "keyword index") {
		t.Errorf("log: %q", log.String())
	}
	snapshot := reader.Snapshot()
	defer snapshot.Close()
	if hits, err := snapshot.Keyword(t.Context(), index.KeywordQuery{Text: "dog"}, 3, index.Filter{}); err != nil || len(hits) != 1 {
		t.Errorf("%v, %v", hits, err)
	}
}
