package server

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"mekiki/index"
	"mekiki/server/problem"
)

// TestListsPageAlike: every list is read to its end by its cursor, whole and in order, and refuses foreign cursors.
func TestListsPageAlike(t *testing.T) {
	f := start(t)
	var batch index.Batch
	for i := range 7 {
		f.put(index.Record{Kind: index.KindText, Hash: index.Hash{201, byte(i)}, Text: "x", Tags: []string{fmt.Sprintf("Tag %d", i), "All"},
			Metadata: index.Metadata{People: []string{fmt.Sprintf("Person %d", i)}}})
		batch.Failures = append(batch.Failures, index.Failure{File: index.File{Path: fmt.Sprintf("%s/%d.jpg", f.root, i)}, Reason: "broken"})
	}
	if _, err := f.index.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		f.expect(f.json("POST", "/api/v1/edits", fmt.Sprintf(`{"ids":["1"],"add_collections":["c%d"]}`, i)), 200, "")
		if i%2 == 0 {
			f.expect(f.send(f.request("DELETE", fmt.Sprintf("/api/v1/records/%d", i+4), nil)), 204, "")
		}
	}
	for _, list := range []struct{ path, member, name string }{
		{"/api/v1/tags?", "tags", "name"}, {"/api/v1/tags?sort=count&", "tags", "name"}, {"/api/v1/people?find=pers&", "people", "name"},
		{"/api/v1/collections?", "collections", "name"}, {"/api/v1/failures?", "failures", "path"}, {"/api/v1/failures?reason=broken&", "failures", "path"},
		{"/api/v1/trash?", "records", "id"}, {"/api/v1/records?", "records", "id"}, {"/api/v1/texts?", "records", "id"},
	} {
		whole := f.expect(f.get(list.path+"limit=100"), 200, "")
		want, paged := valuesIn(t, whole, list.member, list.name), []string(nil)
		cursor := ""
		for range len(want) + 1 {
			got := f.expect(f.get(list.path+"limit=2&cursor="+url.QueryEscape(cursor)), 200, "")
			paged = append(paged, valuesIn(t, got, list.member, list.name)...)
			if got.text(t, "total") != fmt.Sprint(len(want)) {
				t.Errorf("%s: total %s of %d", list.path, got.text(t, "total"), len(want))
			}
			if got.at(t, "cursor") == nil {
				break
			}
			cursor = got.text(t, "cursor")
		}
		if len(want) < 3 || !slices.Equal(want, paged) {
			t.Errorf("%s: in pages %v, whole %v", list.path, paged, want)
		}
		foreign := "Mzp4Onk" // "3:x:y"
		for _, wrong := range []string{"x", "!", foreign} {
			f.expect(f.get(list.path+"limit=2&cursor="+wrong), 400, problem.InvalidRequest)
		}
	}
	if got := f.get("/api/v1/failures?limit=2&offset=1"); got.text(t, "next") != "3" { // as it was before
		t.Errorf("offsets: %s", got.body)
	}
	if got := f.get("/api/v1/tags?sort=count&limit=1"); got.text(t, "tags.0.name") != "All" {
		t.Errorf("most frequent: %s", got.body)
	}
	if got := f.get("/api/v1/tags?find=3"); got.text(t, "total") != "1" {
		t.Errorf("found: %s", got.body)
	}
}

func valuesIn(t *testing.T, got answer, member, name string) (values []string) {
	t.Helper()
	for _, entry := range got.at(t, member).([]any) {
		values = append(values, fmt.Sprint(entry.(map[string]any)[name]))
	}
	return values
}

// TestPagesAreSteady: what comes and goes between two pages neither hides nor repeats anything else.
func TestPagesAreSteady(t *testing.T) {
	f := start(t)
	for _, name := range []string{"b", "d", "f"} {
		f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1"],"add_collections":["`+name+`"]}`), 200, "")
	}
	first := f.get("/api/v1/collections?limit=2")
	f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1"],"add_collections":["a","e"],"remove_collections":["d"]}`), 200, "")
	if got := f.get("/api/v1/collections?limit=5&cursor=" + first.text(t, "cursor")); fmt.Sprint(valuesIn(t, got, "collections", "name")) != "[e f]" {
		t.Errorf("second page: %s", got.body)
	}
}
