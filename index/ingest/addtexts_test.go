package ingest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/ingest/textrecord"
)

func TestAddTexts(t *testing.T) {
	library := openLibrary(t, filepath.Join(t.TempDir(), "library"))
	engine := newCounting("one")
	_, err := textrecord.AddFile(t.Context(), library, engine, strings.NewReader("one\ntwo\n"), textrecord.Options{})
	must(t, err)
	before := engine.texts.Load()
	ids, err := textrecord.Add(t.Context(), library, engine, []textrecord.Text{
		{Text: "two", Tags: []string{"number"}}, {Text: "a lamp", ID: "7", Fields: map[string]string{"watts": "40"}}, {Text: "one"},
	})
	must(t, err)
	if !cmp.Equal(ids, []index.ID{2, 3, 1}) {
		t.Errorf("records %v", ids)
	}
	if embedded := engine.texts.Load() - before; embedded != 1 {
		t.Errorf("embedded %d texts, want only the new one", embedded)
	}
	ids, err = textrecord.Add(t.Context(), library, engine, []textrecord.Text{{Text: "a lamp", ID: "7", Fields: map[string]string{"watts": "60"}}})
	must(t, err)
	snapshot := library.Snapshot()
	defer snapshot.Close()
	lamp, there := indextest.RecordByExternalID(t, snapshot, "7")
	if !there || lamp.Fields["watts"] != "60" || lamp.ID != ids[0] {
		t.Errorf("lamp %+v, records %v", lamp, ids)
	}
	two, there := indextest.Record(t, snapshot, 2)
	if !there || !cmp.Equal(two.Tags, []string{"number"}) {
		t.Errorf("two %+v", two)
	}
	if got := snapshot.Count(index.KindText); got != 3 {
		t.Errorf("%d texts, want 3", got)
	}
	if _, err := textrecord.Add(t.Context(), library, engine, []textrecord.Text{{Text: " "}}); err == nil {
		t.Error("a blank text was taken")
	}
}
