package bring_test

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/bring"
	"mekiki/index/indextest"
	"mekiki/index/local"
)

// home is a library of four pictures, whose files are there.
type home struct {
	*testing.T
	folder, photos string
	library        *local.Library
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{T: t, folder: filepath.Join(t.TempDir(), "library"), photos: filepath.Join(t.TempDir(), "photos")}
	library, err := local.Open(t.Context(), h.folder, local.Options{})
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, library.Close()) })
	h.library = library
	indextest.Must(t, os.MkdirAll(h.photos, 0o755))
	modified := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	var batch index.Batch
	for _, name := range []string{"a.jpg", "b.jpg", "c.jpg", "twin.jpg"} {
		path, data := filepath.Join(h.photos, name), []byte("picture "+name)
		indextest.Must(t, os.WriteFile(path, data, 0o644))
		indextest.Must(t, os.Chtimes(path, modified, modified))
		stat, err := os.Stat(path)
		indextest.Must(t, err)
		record := index.Record{Kind: index.KindImage, Hash: sha256.Sum256(data), Bytes: int64(len(data)), Files: []index.File{{Path: path, Bytes: int64(len(data)), Modified: stat.ModTime()}}}
		record.Metadata.Taken = time.Date(2019, 7, 14, 18, 30, 0, 0, time.UTC)
		batch.Puts = append(batch.Puts, index.Put{Record: record})
	}
	_, err = library.Write(t.Context(), batch)
	indextest.Must(t, err)
	return h
}

func (h *home) apply(ctx context.Context, edits []bring.Edit) error {
	var batch index.Batch
	for _, edit := range edits {
		edit.AddTo(&batch)
	}
	_, err := h.library.Write(ctx, batch)
	return err
}

func (h *home) run(options bring.Options, items ...bring.Item) bring.Report {
	h.Helper()
	snapshot := h.library.Snapshot()
	defer snapshot.Close()
	options.Folder, options.Apply = h.folder, h.apply
	report, err := bring.Run(h.Context(), snapshot, func(_ context.Context, sink bring.Sink) error {
		for _, item := range items {
			if err := sink.Item(item); err != nil {
				return err
			}
		}
		return nil
	}, options)
	indextest.Must(h, err)
	return report
}

func (h *home) record(name string) *index.Record {
	h.Helper()
	snapshot := h.library.Snapshot()
	defer snapshot.Close()
	record, err := index.One(snapshot.RecordsByPath(h.Context(), []string{filepath.Join(h.photos, name)}))
	indextest.Must(h, err)
	return record
}

func (h *home) undo() (bring.UndoReport, error) {
	snapshot := h.library.Snapshot()
	defer snapshot.Close()
	return bring.Undo(h.Context(), snapshot, h.folder, h.apply, time.Now())
}

func everything(path string) bring.Item {
	four := 4
	return bring.Item{
		Path: path, Tags: []string{"Places/Rome", "cat"}, Albums: []string{"Best"}, People: []string{"Ada"}, Rating: &four, Favourite: true,
		Title: "Ruins", Description: "At noon", Date: time.Date(1984, 7, 14, 0, 0, 0, 0, time.UTC),
	}
}

// TestRun: everything comes once, and undo takes all of it back.
func TestRun(t *testing.T) {
	h := newHome(t)
	item := everything("/there/a.jpg")
	options := bring.Options{Mappings: []bring.Mapping{{From: "/there", To: h.photos}}, Dates: true}
	dry := options
	dry.DryRun = true
	if report := h.run(dry, item); report.Changed != 1 || report.Tags != 2 || h.record("a.jpg").Given != nil {
		t.Errorf("%+v", report)
	}
	report := h.run(options, item, item)
	if report.Changed != 1 || report.Matched[bring.ByPath] != 2 || report.Tags != 2 || report.Albums != 1 || report.People != 1 || report.Dates != 1 || report.Run == "" {
		t.Errorf("%+v", report)
	}
	want := &index.Given{Rating: item.Rating, Favourite: true, Title: "Ruins", Description: "At noon", Date: item.Date, Collections: []string{"Best"}, People: []string{"Ada"}}
	if diff := gocmp.Diff(want, h.record("a.jpg").Given); diff != "" || !slices.Equal(h.record("a.jpg").Tags, []string{"Places/Rome", "cat"}) {
		t.Error(diff, h.record("a.jpg").Tags)
	}
	if again := h.run(options, item); again.Changed != 0 || again.Run != "" || again.Conflicts != 0 {
		t.Errorf("%+v", again)
	}
	if report, err := h.undo(); err != nil || report.Changed != 1 || h.record("a.jpg").Given != nil || len(h.record("a.jpg").Tags) != 0 {
		t.Errorf("%+v, %v, %+v", report, err, h.record("a.jpg"))
	}
	if _, err := h.undo(); !errors.Is(err, bring.ErrNothingToUndo) {
		t.Error(err)
	}
}

// TestPeopleWin: what people gave in Mekiki stays, unless they say otherwise; undo leaves what has changed since.
func TestPeopleWin(t *testing.T) {
	h := newHome(t)
	five, one := 5, 1
	indextest.Must(t, h.apply(t.Context(), []bring.Edit{{ID: h.record("a.jpg").ID, AddTags: []string{"mine"}, Set: index.GivenRating | index.GivenTitle, To: index.Given{Rating: &five, Title: "Mine"}}}))
	item := everything(filepath.Join(h.photos, "a.jpg"))
	report := h.run(bring.Options{}, item)
	if report.Conflicts != 2 || len(report.ConflictList) != 2 || report.Ratings != 0 || report.Dates != 0 || h.record("a.jpg").Title() != "Mine" || h.record("a.jpg").Description() != "At noon" {
		t.Errorf("%+v", report)
	}
	if report := h.run(bring.Options{Overwrite: true}, item); report.Conflicts != 2 || report.Ratings != 1 || *h.record("a.jpg").Rating() != 4 {
		t.Errorf("%+v", report)
	}
	indextest.Must(t, h.apply(t.Context(), []bring.Edit{{ID: h.record("a.jpg").ID, Set: index.GivenRating, To: index.Given{Rating: &one}}}))
	if report, err := h.undo(); err != nil || report.Kept != 1 || *h.record("a.jpg").Rating() != 1 || h.record("a.jpg").Title() != "Mine" {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err := h.undo(); err != nil || report.Changed != 1 || !slices.Equal(h.record("a.jpg").Tags, []string{"mine"}) {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestMatching: by content of each kind, by name and size; what is not found is named with its reason.
func TestMatching(t *testing.T) {
	h := newHome(t)
	data := func(name string) []byte { return []byte("picture " + name) }
	sha1Sum, sha256Sum := sha1.Sum(data("a.jpg")), sha256.Sum256(data("b.jpg"))
	twice := md5.Sum(append(data("c.jpg"), data("c.jpg")...))
	report := h.run(bring.Options{},
		bring.Item{Path: "/x/1", Favourite: true, Bytes: 13, Sum: bring.Sum{Kind: bring.SHA1, Hex: hex.EncodeToString(sha1Sum[:])}},
		bring.Item{Path: "/x/2", Favourite: true, Sum: bring.Sum{Kind: bring.SHA256, Hex: hex.EncodeToString(sha256Sum[:])}},
		bring.Item{Path: "/x/3", Favourite: true, Bytes: 13, Sum: bring.Sum{Kind: bring.DigiKam, Hex: hex.EncodeToString(twice[:])}},
		bring.Item{Path: `C:\Pictures\twin.jpg`, Name: "TWIN.jpg", Bytes: 16, Title: "Twin"},
		bring.Item{Path: filepath.ToSlash(filepath.Join(h.photos, "a")), Stem: true, Title: "By its stem"},
		bring.Item{Path: "/x/4.jpg", Name: "4.jpg", Bytes: 13, Favourite: true},
		bring.Item{Path: "/x/5.jpg", Favourite: true, Sum: bring.Sum{Kind: bring.SHA256, Hex: "zz"}},
		bring.Item{Path: "/x/6.jpg"},
	)
	want := map[bring.How]int{bring.ByContent: 3, bring.ByNameSize: 1, bring.ByPath: 1}
	if diff := gocmp.Diff(want, report.Matched); diff != "" || report.Unmatched != 2 || report.Pictures != 7 || len(report.UnmatchedList) != 2 || report.UnmatchedList[1].Reason == "" {
		t.Errorf("%s %+v", diff, report)
	}
	for name, title := range map[string]string{"a.jpg": "By its stem", "b.jpg": "", "c.jpg": "", "twin.jpg": "Twin"} {
		if r := h.record(name); r.Title() != title || r.Favourite() == (name == "twin.jpg") {
			t.Errorf("%s: %+v", name, r.Given)
		}
	}
}

// TestDatesOfFiles: a date that only repeats the file's, in whatever zone, is none.
func TestDatesOfFiles(t *testing.T) {
	h := newHome(t)
	path := filepath.Join(h.photos, "a.jpg")
	for _, date := range []time.Time{time.Date(2019, 7, 14, 16, 30, 1, 0, time.UTC), time.Date(2020, 1, 1, 5, 45, 0, 0, time.UTC)} {
		if report := h.run(bring.Options{Dates: true}, bring.Item{Path: path, Date: date}); report.Changed != 0 {
			t.Errorf("%v: %+v", date, report)
		}
	}
}

// TestVirtualCopies: what a source says of one picture twice is joined, and no edit is longer than the library's server takes.
func TestVirtualCopies(t *testing.T) {
	h := newHome(t)
	const each = bring.MaximumValues - 10
	items := make([]bring.Item, 2)
	for i := range items {
		items[i].Path = filepath.ToSlash(filepath.Join(h.photos, "a.jpg"))
		for j := range each {
			items[i].Tags = append(items[i].Tags, fmt.Sprint("tag ", i, " ", j))
		}
	}
	for _, want := range []int{bring.MaximumValues, 2*each - bring.MaximumValues, 0} {
		if report := h.run(bring.Options{}, items...); report.Tags != want {
			t.Errorf("%d tags were brought, expected %d", report.Tags, want)
		}
	}
}

// TestInterruptedRun: a run that stops goes on where it was, and what was done can be undone.
func TestInterruptedRun(t *testing.T) {
	h := newHome(t)
	snapshot := h.library.Snapshot()
	defer snapshot.Close()
	failed := errors.New("stopped")
	_, err := bring.Run(t.Context(), snapshot, func(_ context.Context, sink bring.Sink) error {
		return errors.Join(sink.Item(everything(filepath.Join(h.photos, "a.jpg"))))
	}, bring.Options{Folder: h.folder, Apply: func(context.Context, []bring.Edit) error { return failed }})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if report, err := h.undo(); err != nil || h.record("a.jpg").Given != nil {
		t.Errorf("%+v, %v", report, err)
	}
	if report := h.run(bring.Options{}, everything(filepath.Join(h.photos, "a.jpg"))); report.Changed != 1 {
		t.Errorf("%+v", report)
	}
}
