package local

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local/maintain"
	"mekiki/internal/vfs/vfstest"
)

func TestWriteReadReopen(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	library := openTest(t, folder, Options{})
	fill(t, library, 10)
	before := answers(t, library)
	indextest.Must(t, library.Close())

	again := openTest(t, folder, Options{})
	if diff := cmp.Diff(before, answers(t, again)); diff != "" {
		t.Errorf("answers after reopening differ (-before +after):\n%s", diff)
	}
	report, err := again.Check(t.Context())
	indextest.Must(t, err)
	if len(report.Findings) != 0 || report.Records != 10 {
		t.Errorf("check: %+v", report)
	}
}

// answer is what a library says about itself, in a form to compare.
type answer struct {
	Records  []*index.Record
	Failures []index.Failure
	Spaces   []index.SpaceState
	Nearest  [][]index.Neighbour
	Texts    [][]index.Neighbour
	Words    [][]index.KeywordHit
	Parts    map[index.ID]embed.Parts
	Tokens   map[index.ID]embed.ImageTokens
}

// answers asks a library a fixed list of questions.
func answers(tb testing.TB, library *Library) answer {
	tb.Helper()
	ctx := context.Background()
	snapshot := library.Snapshot()
	defer snapshot.Close()
	result := answer{Parts: map[index.ID]embed.Parts{}, Tokens: map[index.ID]embed.ImageTokens{}, Failures: snapshot.failures(), Spaces: snapshot.Spaces()}
	for record := range snapshot.all() {
		copied := *record
		copied.Sequence = 0
		result.Records = append(result.Records, &copied)
		if parts, err := snapshot.parts(ctx, record.ID); !errors.Is(err, index.ErrNotFound) {
			indextest.Must(tb, err)
			result.Parts[record.ID] = parts
		}
		if tokens, err := snapshot.tokens(ctx, record.ID); !errors.Is(err, index.ErrNotFound) {
			indextest.Must(tb, err)
			result.Tokens[record.ID] = tokens
		}
	}
	for seed := range uint64(4) {
		query := indextest.Unit(seed*3, 1, indextest.Small.Width).Values
		nearest, err := snapshot.NearestImages(ctx, query, 5, index.Filter{})
		indextest.Must(tb, err)
		result.Nearest = append(result.Nearest, nearest)
		texts, err := snapshot.NearestTexts(ctx, query, 5, index.Filter{})
		indextest.Must(tb, err)
		result.Texts = append(result.Texts, texts)
	}
	for _, words := range []string{"dog", "a cat or a house", "number 3", "IMG_0004", "canon holiday", "photos"} {
		hits, err := snapshot.Keyword(ctx, index.KeywordQuery{Text: words}, 5, index.Filter{})
		indextest.Must(tb, err)
		result.Words = append(result.Words, hits)
	}
	return result
}

func TestLockNamesItsHolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	openTest(t, folder, Options{})
	_, err := Open(t.Context(), folder, Options{})
	if !errors.Is(err, index.ErrLocked) || !strings.Contains(err.Error(), "process ") {
		t.Errorf("second writer: %v", err)
	}
	reader := openTest(t, folder, Options{ReadOnly: true})
	if _, err := reader.Write(t.Context(), index.Batch{}); !errors.Is(err, index.ErrReadOnly) {
		t.Errorf("write to a reader: %v", err)
	}
}

func TestFolderOfOtherThingsIsRefused(t *testing.T) {
	folder := t.TempDir()
	indextest.Must(t, os.WriteFile(filepath.Join(folder, "holiday.jpg"), nil, 0o644))
	if _, err := Open(t.Context(), folder, Options{}); !errors.Is(err, index.ErrNotLibrary) {
		t.Errorf("open: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(folder, "none"), Options{ReadOnly: true}); !errors.Is(err, index.ErrNotLibrary) {
		t.Errorf("read-only open: %v", err)
	}
}

func TestSnapshotsDoNotChange(t *testing.T) {
	library := openTest(t, filepath.Join(t.TempDir(), "library"), Options{})
	fill(t, library, 6)
	old := library.Snapshot()
	defer old.Close()
	indextest.Must(t, library.Remove(t.Context(), 1, 2))
	if _, err := library.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if old.Count(0) != 6 {
		t.Errorf("old snapshot counts %d", old.Count(0))
	}
	if _, err := old.parts(t.Context(), 1); err != nil {
		t.Errorf("old snapshot: %v", err)
	}
	if record, there := old.recordByPath(indextest.File(0).Path); !there || record.ID != 1 {
		t.Errorf("old snapshot by path: %v %v", record, there)
	}
	hits, err := old.NearestImages(t.Context(), indextest.Unit(0, 1, indextest.Small.Width).Values, 6, index.Filter{})
	indextest.Must(t, err)
	if len(hits) != 6 {
		t.Errorf("old snapshot finds %d", len(hits))
	}
	fresh := library.Snapshot()
	defer fresh.Close()
	if _, there := fresh.recordByPath(indextest.File(0).Path); there || fresh.Count(index.KindImage) != 4 {
		t.Errorf("new snapshot has what was removed")
	}
}

func TestReadersFollowTheWriter(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "library")
	writer := openTest(t, folder, Options{})
	fill(t, writer, 5)
	reader := openTest(t, folder, Options{ReadOnly: true})
	if diff := cmp.Diff(answers(t, writer), answers(t, reader)); diff != "" {
		t.Errorf("reader differs from writer:\n%s", diff)
	}
	mustWrite(t, writer, index.Batch{Puts: []index.Put{indextest.Image(t, 77, indextest.Small)}, Remove: []index.ID{2}})
	if changed, err := reader.Refresh(t.Context()); err != nil || !changed {
		t.Fatalf("refresh: %v, %v", changed, err)
	}
	if diff := cmp.Diff(answers(t, writer), answers(t, reader)); diff != "" {
		t.Errorf("refreshed reader differs from writer:\n%s", diff)
	}
	if changed, err := reader.Refresh(t.Context()); err != nil || changed {
		t.Errorf("refresh without a change: %v, %v", changed, err)
	}
}

func TestBackupAndRestore(t *testing.T) {
	folder := t.TempDir()
	library := openTest(t, filepath.Join(folder, "library"), Options{})
	fill(t, library, 7)
	indextest.Must(t, library.Remove(t.Context(), 3))
	var archive bytes.Buffer
	indextest.Must(t, library.Backup(t.Context(), &archive))
	target := filepath.Join(folder, "restored")
	indextest.Must(t, maintain.Restore(t.Context(), bytes.NewReader(archive.Bytes()), target))
	restored := openTest(t, target, Options{})
	if diff := cmp.Diff(answers(t, library), answers(t, restored)); diff != "" {
		t.Errorf("restored library differs:\n%s", diff)
	}
	for at := 0; at < archive.Len(); at += 97 {
		damaged := bytes.Clone(archive.Bytes())
		damaged[at] ^= 0x10
		target := filepath.Join(t.TempDir(), "damaged")
		if err := maintain.Restore(t.Context(), bytes.NewReader(damaged), target); err != nil {
			continue
		}
		// Only bytes that mean nothing, such as tar's padding, may change.
		other := openTest(t, target, Options{})
		if diff := cmp.Diff(answers(t, library), answers(t, other)); diff != "" {
			t.Fatalf("byte %d flipped, restored without complaint, and differs:\n%s", at, diff)
		}
	}
}

func TestCompactGivesRoomBack(t *testing.T) {
	library := openTest(t, filepath.Join(t.TempDir(), "library"), Options{})
	fill(t, library, 60)
	var ids []index.ID
	for id := index.ID(1); id <= 54; id++ {
		ids = append(ids, id)
	}
	indextest.Must(t, library.Remove(t.Context(), ids...))
	before := answers(t, library)
	result, err := library.Compact(t.Context())
	indextest.Must(t, err)
	if result.After*2 > result.Before {
		t.Errorf("compacted %d bytes to %d", result.Before, result.After)
	}
	if diff := cmp.Diff(before, answers(t, library)); diff != "" {
		t.Errorf("compaction changed answers:\n%s", diff)
	}
	wantWhole(t, library)
}

// TestClockSetBack: nothing depends on clocks that only go forward.
func TestClockSetBack(t *testing.T) {
	files := vfstest.NewMemory()
	now := indextest.Time
	options := Options{FileSystem: files, Now: func() time.Time { return now }, CheckpointBytes: 2000}
	oracle := newOracle()
	for year := range uint64(4) {
		now = indextest.Time.AddDate(-10*int(year), 0, 0)
		library := openTest(t, "/library", options)
		for number := range uint64(6) {
			step := putStep(6*year + number)
			indextest.Must(t, step.do(t, library))
			step.note(oracle, nil)
		}
		step := removeStep(6 * year)
		indextest.Must(t, step.do(t, library))
		step.note(oracle, nil)
		indextest.Must(t, oracle.verify(t, library))
		indextest.Must(t, library.Close())
	}
	library := openTest(t, "/library", options)
	indextest.Must(t, oracle.verify(t, library))
	if report, err := library.Check(t.Context()); err != nil || len(report.Findings) > 0 {
		t.Errorf("check: %+v, %v", report.Findings, err)
	}
}
