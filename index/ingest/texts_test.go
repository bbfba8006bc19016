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

// TestTextsThatAreWrongAreNamed: what cannot be taken is named by its file and line,
// in plain words.
func TestTextsThatAreWrongAreNamed(t *testing.T) {
	library := openLibrary(t, filepath.Join(t.TempDir(), "library"))
	for _, test := range []struct {
		format     textrecord.Format
		text, want string
	}{
		{textrecord.Lines, "one\n\xff\n", "line 2 is not UTF-8 text"},
		{textrecord.Lines, "o\x00n\x00e\x00\n\x00", "line 1 is not UTF-8 text"},
		{textrecord.CSV, "id,text\na,x\nb, \n", "line 3 has no text"},
		{textrecord.JSONL, "\n{\"id\": 7}\n", "line 2 has no text"},
		{textrecord.JSONL, `{"text": "  "}`, "line 1 has no text"},
		{textrecord.JSONL, `" "`, "line 1 has no text"},
		{textrecord.JSONL, `null`, "line 1 has no text"},
		{textrecord.JSONL, `[1]`, "line 1: array where an object or a string is wanted"},
		{textrecord.JSONL, `{"text": 3}`, `line 1: "text": number where a string is wanted`},
		{textrecord.JSONL, `{"text": "a", "tags": "b"}`, `line 1: "tags": string where a list of strings is wanted`},
	} {
		_, err := textrecord.AddFile(t.Context(), library, newCounting("one"), strings.NewReader(test.text), textrecord.Options{Format: test.format, Source: "words"})
		if want := "add texts: words: " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s %q: %v, want %s", test.format, test.text, err, want)
		}
	}
}

// TestTextsAgain: texts that come again are known, whatever came between, but for
// what is new of them.
func TestTextsAgain(t *testing.T) {
	for _, batch := range []int{1, 2, 100} {
		library := openLibrary(t, filepath.Join(t.TempDir(), "library"))
		add := func(format textrecord.Format, text string, want textrecord.Summary) {
			t.Helper()
			got, err := textrecord.AddFile(t.Context(), library, newCounting("one"), strings.NewReader(text), textrecord.Options{Format: format, BatchSize: batch})
			must(t, err)
			if got != want {
				t.Errorf("%q: %+v, want %+v", text, got, want)
			}
		}
		add(textrecord.Lines, "one\none\ntwo\n", textrecord.Summary{Read: 3, Added: 2, Known: 1})
		add(textrecord.JSONL, `{"text": "lamp", "id": 1, "tags": ["home"]}`, textrecord.Summary{Read: 1, Added: 1})
		add(textrecord.JSONL, `{"text": "lamp", "id": 1, "tags": [" home "]}`, textrecord.Summary{Read: 1, Known: 1})
		add(textrecord.JSONL, `{"text": "lamp", "id": 1, "tags": ["office"]}`, textrecord.Summary{Read: 1, Added: 1})
		add(textrecord.CSV, "id,text\nshoe,red\nshoe,blue\nshoe,red\n", textrecord.Summary{Read: 3, Added: 3})
		add(textrecord.CSV, "id,text\nshoe,blue\nshoe,red\n", textrecord.Summary{Read: 2, Added: 2})
		snapshot := library.Snapshot()
		defer snapshot.Close()
		lamp, _ := indextest.RecordByExternalID(t, snapshot, "1")
		if diff := cmp.Diff([]string{"home", "office"}, lamp.Tags); diff != "" {
			t.Errorf("tags: %s", diff)
		}
		shoe, _ := indextest.RecordByExternalID(t, snapshot, "shoe")
		if shoe.Text != "red" || !indextest.HasParts(t, snapshot, shoe.ID, newCounting("one").Space()) {
			t.Errorf("the last text of the id is %q, with vectors: %v", shoe.Text, indextest.HasParts(t, snapshot, shoe.ID, newCounting("one").Space()))
		}
		if got := snapshot.Count(index.KindText); got != 4 {
			t.Errorf("%d texts, want 4", got)
		}
	}
}
