package search

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/search/scoring"
)

// TestWarningsOfTheQueryAreInEveryAnswer: first and last ones, pages and listings.
func TestWarningsOfTheQueryAreInEveryAnswer(t *testing.T) {
	s := newTestSearcher(t, populated(100), Options{})
	said := func(response contract.Response) bool {
		return slices.ContainsFunc(response.Warnings, func(w string) bool { return strings.HasPrefix(w, "OR is read as a plain word") })
	}
	request := contract.Request{Text: "cat OR dog", Limit: 2}
	answers := 0
	for response, err := range s.Stream(t.Context(), request) {
		if answers++; err != nil || !said(response) {
			t.Errorf("answer %d has %q, %v", answers, response.Warnings, err)
		}
		request.Cursor = response.Cursor
	}
	if answers != 2 {
		t.Errorf("%d answers", answers)
	}
	if page := search(t, s, request); page.Offset != 2 || !said(page) {
		t.Errorf("the page from %d has %q", page.Offset, page.Warnings)
	}
	if plain := search(t, s, contract.Request{Text: `cat \OR dog`}); len(plain.Warnings) != 0 {
		t.Errorf("an escaped OR has %q", plain.Warnings)
	}
}

// TestQueriesWithoutAWord are refused, and words beside signs are searched for.
func TestQueriesWithoutAWord(t *testing.T) {
	s := newTestSearcher(t, populated(100), Options{})
	for _, text := range []string{"!!!", "...", "*", "?; !", `"--"`, "-!", "– —", "(", "&"} {
		_, err := s.Search(t.Context(), contract.Request{Text: text})
		var problem *contract.Error
		if !errors.As(err, &problem) || problem.Code != contract.CodeEmptyRequest || problem.Position == nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	want := search(t, s, contract.Request{Text: "cat", Show: contract.ShowAll})
	for _, text := range []string{"cat; !!!", "cat -!", `cat "?!"`} {
		response := search(t, s, contract.Request{Text: text, Show: contract.ShowAll})
		if text != `cat "?!"` && !slices.Equal(hitIDs(response), hitIDs(want)) {
			t.Errorf("%q finds %v", text, hitIDs(response))
		}
		if len(response.Hits) == 0 || len(response.Warnings) != 1 {
			t.Errorf("%q: %d hits, warnings %q", text, len(response.Hits), response.Warnings)
		}
	}
	if listed := search(t, s, contract.Request{Text: "!!! folder:set1"}); len(listed.Hits) == 0 || listed.Hits[0].Basis != contract.BasisFilter || len(listed.Warnings) != 1 {
		t.Errorf("a filter beside signs: %d hits, %q", len(listed.Hits), listed.Warnings)
	}
}

// unreadingEngine is a model that reads no text with a character beyond ASCII.
type unreadingEngine struct{ worldEngine }

func (e unreadingEngine) TextInfo(text string) embed.TextInfo {
	info := e.worldEngine.TextInfo(text)
	info.Unread = strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f })
	return info
}

// TestScriptsThatAreNotRead are searched by words alone, and the answer says so.
func TestScriptsThatAreNotRead(t *testing.T) {
	w := populated(300)
	w.add("/library/象.jpg", "boat")
	s, err := New(w, unreadingEngine{worldEngine{w}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	response := search(t, s, contract.Request{Text: "象", Show: contract.ShowAll})
	if len(response.Warnings) != 1 || !strings.Contains(response.Warnings[0], "does not read this script") || response.Reranked != 0 {
		t.Errorf("warnings %q, %d read", response.Warnings, response.Reranked)
	}
	if len(response.Hits) != 1 || response.Hits[0].Path != "/library/象.jpg" || response.Hits[0].Basis != contract.BasisWords {
		t.Errorf("hits %+v", response.Hits)
	}
	nothing := search(t, s, contract.Request{Text: "слон"})
	if len(nothing.Hits) != 0 || nothing.Hidden != 0 || nothing.Searched != 301 || nothing.Verdict != scoring.VerdictNone {
		t.Errorf("%d hits, %d hidden, of %d", len(nothing.Hits), nothing.Hidden, nothing.Searched)
	}
	if read := search(t, s, contract.Request{Text: "cat; 象", Show: contract.ShowAll}); len(read.Warnings) != 0 || read.Reranked == 0 {
		t.Errorf("half read: %q, %d read", read.Warnings, read.Reranked)
	}
}

// TestTheFileShown: of several files the hit shows one that is there, in the folder
// that is asked for, or with the words.
func TestTheFileShown(t *testing.T) {
	folder := t.TempDir()
	var files []index.File
	for _, name := range []string{"Old/gone.jpg", "A/one.jpg", "B/two.jpg", "C/zeppelin.jpg"} {
		path := filepath.Join(folder, filepath.FromSlash(name))
		files = append(files, index.File{Path: path})
		if name == "Old/gone.jpg" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := populated(50)
	record := w.add(files[0].Path, "zeppelin")
	record.Files = files
	lost := w.add(filepath.Join(folder, "Old", "zeppelin.jpg"), "zeppelin")
	s := newTestSearcher(t, w, Options{})
	only := index.Filter{IDs: []index.ID{record.ID}}
	inFolder := func(name string) *plan { return &plan{filter: index.Filter{Folders: []string{name}}, text: "x"} }
	for what, c := range map[string]struct {
		path string
		hit  contract.Hit
	}{
		"the first that is there": {files[1].Path, search(t, s, contract.Request{Text: "boat", Filter: only, Show: contract.ShowAll}).Hits[0]},
		"the one with the word":   {files[3].Path, search(t, s, contract.Request{Text: "zeppelin", Filter: only, Show: contract.ShowAll}).Hits[0]},
		"of a listing":            {files[1].Path, search(t, s, contract.Request{Filter: only}).Hits[0]},
		"the one in the folder":   {files[2].Path, shownBy(t.Context(), inFolder("B"), record)},
		"a gone one is not shown": {files[1].Path, shownBy(t.Context(), inFolder("Old"), record)},
	} {
		if c.hit.Path != c.path || len(c.hit.Paths) != 4 || c.hit.Missing {
			t.Errorf("%s: %s of %q, missing %v; want %s", what, c.hit.Path, c.hit.Paths, c.hit.Missing, c.path)
		}
	}
	if hit := search(t, s, contract.Request{Text: "zeppelin", Filter: index.Filter{IDs: []index.ID{lost.ID}}}).Hits[0]; !hit.Missing || hit.Path != lost.Path() {
		t.Errorf("a hit without its file: %s, missing %v", hit.Path, hit.Missing)
	}
}

func shownBy(ctx context.Context, p *plan, record *index.Record) contract.Hit {
	hits := []contract.Hit{recordHit(record, 1)}
	p.showFiles(ctx, hits)
	return hits[0]
}
