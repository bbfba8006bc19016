package server

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/server/problem"
	"mekiki/server/servertest"
)

// given is what is known of a record that people change.
func given(t *testing.T, f *fixture, id string) string {
	t.Helper()
	var record struct {
		Tags  []string `json:"tags"`
		Given any      `json:"given"`
	}
	if err := json.Unmarshal(f.expect(f.get("/api/v1/records/"+id), 200, "").body, &record); err != nil {
		t.Fatal(err)
	}
	return jsonText(t, record)
}

// TestEditsAreUndoneExactly: whatever a change took the place of comes back, and once only.
func TestEditsAreUndoneExactly(t *testing.T) {
	f := start(t)
	f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1"],"add_tags":["Cat"],"rating":2,"title":"Mine","add_collections":["Trips"]}`), 200, "")
	before := []string{given(t, f, "1"), given(t, f, "2")}
	for _, body := range []string{
		`"add_tags":["cat","x"],"remove_tags":["pet"]`, `"rating":0`, `"clear":["rating","title"]`, `"favourite":true,"hidden":true`, `"title":"","date":"1984"`,
		`"add_collections":["trips","Best"]`, `"remove_collections":["TRIPS"]`,
		`"description":"At the lake\nin June","add_people":["Ada","Bo"]`,
	} {
		got := f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1","2","1"],`+body+`}`), 200, "")
		if after := []string{given(t, f, "1"), given(t, f, "2")}; slices.Equal(before, after) {
			t.Errorf("%s changes nothing: %s", body, got.body)
		}
		token := got.text(t, "undo")
		again := f.expect(f.json("POST", "/api/v1/undo/"+token, ""), 200, "")
		if after := []string{given(t, f, "1"), given(t, f, "2")}; !slices.Equal(before, after) {
			t.Errorf("%s undone: %v, before %v", body, after, before)
		}
		f.expect(f.json("POST", "/api/v1/undo/"+token, ""), 404, problem.NotFound)
		f.expect(f.json("POST", "/api/v1/undo/"+again.text(t, "undo"), ""), 200, "") // done again
		reset(t, f, before)
	}
}

// reset gives the records what they had.
func reset(t *testing.T, f *fixture, want []string) {
	t.Helper()
	var batch index.Batch
	for i, text := range want {
		var record struct {
			Tags  []string
			Given struct {
				Rating      *int
				Title       string
				Collections []string
			}
		}
		if err := json.Unmarshal([]byte(text), &record); err != nil {
			t.Fatal(err)
		}
		id := index.ID(i + 1)
		batch.Tags = append(batch.Tags, index.TagChange{ID: id, Add: record.Tags, Exactly: true})
		batch.Given = append(batch.Given, index.GivenChange{ID: id, Set: 511, To: index.Given{
			Rating: record.Given.Rating, Title: record.Given.Title, Collections: record.Given.Collections,
		}})
	}
	if _, err := f.index.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

func TestEditsRefused(t *testing.T) {
	f := start(t)
	for body, code := range map[string]problem.Code{
		`{"ids":["1","99"],"favourite":true}`:                                  problem.NotFound,
		`{"ids":[],"favourite":true}`:                                          problem.InvalidRequest,
		`{"ids":["1"],"rating":6}`:                                             problem.InvalidRequest,
		`{"ids":["1"],"date":"1984-02-30"}`:                                    problem.InvalidRequest,
		`{"ids":["1"],"date":"0000"}`:                                          problem.InvalidRequest,
		`{"ids":["1"],"add_collections":[" "]}`:                                problem.InvalidRequest,
		`{"ids":["1"],"title":"a\u0000b"}`:                                     problem.InvalidRequest,
		`{"ids":["1"],"colour":"red"}`:                                         problem.InvalidRequest,
		`{"ids":["1"],"add_collections":["` + strings.Repeat("x", 300) + `"]}`: problem.InvalidRequest,
	} {
		status := 400
		if code == problem.NotFound {
			status = 404
		}
		f.expect(f.json("POST", "/api/v1/edits", body), status, code)
	}
	if got := given(t, f, "1"); strings.Contains(got, "favourite") {
		t.Errorf("a refused change was made: %s", got)
	}
	if got := f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1"]}`), 200, ""); got.text(t, "changed") != "0" {
		t.Errorf("%s", got.body)
	}
}

// TestUndoExpires: after an hour there is nothing to undo.
func TestUndoExpires(t *testing.T) {
	clock := newClock()
	f := start(t, func(o *Options) { o.Now = clock.now })
	got := f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1"],"favourite":true}`), 200, "")
	clock.pass(61 * time.Minute)
	f.expect(f.json("POST", "/api/v1/undo/"+got.text(t, "undo"), ""), 404, problem.NotFound)
}

// TestTrash: what is in the trash is found nowhere else, comes back whole, and goes after 30 days.
func TestTrash(t *testing.T) {
	clock := newClock()
	f := start(t, func(o *Options) { o.Now = clock.now })
	total := func() string { return f.expect(f.get("/api/v1/records?kind=image"), 200, "").text(t, "total") }
	if total() != "2" {
		t.Fatalf("%s pictures", total())
	}
	f.expect(f.send(f.request("DELETE", "/api/v1/records/1", nil)), 204, "")
	moved := f.expect(f.json("POST", "/api/v1/trash", `{"ids":["1","2"]}`), 200, "")
	if moved.text(t, "changed") != "1" || total() != "0" {
		t.Errorf("%s; %s are listed", moved.body, total())
	}
	for _, address := range []string{"/api/v1/search?q=two+cats&show=all&limit=5", "/api/v1/search?q=tag:pet", "/api/v1/search?record=3"} {
		if got := f.get(address); strings.Contains(string(got.body), `"id":"1"`) {
			t.Errorf("%s finds what is in the trash: %s", address, got.body)
		}
	}
	if list := f.expect(f.get("/api/v1/trash"), 200, ""); list.text(t, "total") != "2" || list.text(t, "days") != "30" {
		t.Errorf("%s", list.body)
	}
	f.expect(f.json("POST", "/api/v1/undo/"+moved.text(t, "undo"), ""), 200, "")
	if total() != "1" {
		t.Errorf("%s after undo", total())
	}
	f.expect(f.json("POST", "/api/v1/trash/restore", `{"ids":["1"]}`), 200, "")
	if total() != "2" {
		t.Errorf("%s after restoring", total())
	}
	f.expect(f.json("POST", "/api/v1/trash", `{"ids":["1"]}`), 200, "")
	if emptied := f.expect(f.send(f.request("DELETE", "/api/v1/trash", nil)), 200, ""); emptied.text(t, "removed") != "1" {
		t.Errorf("%s", emptied.body)
	}
	f.expect(f.get("/api/v1/records/1"), 404, problem.NotFound)
	if _, err := os.Stat(f.root + "/Picture 1.jpg"); err != nil {
		t.Errorf("the file was touched: %v", err)
	}
}

// TestDownloads: an archive has every file under a name of its own and says what it lacks; a table is safe to open.
func TestDownloads(t *testing.T) {
	f := start(t)
	copied, err := os.ReadFile(f.root + "/Picture 1.jpg")
	indextest.Must(t, err)
	first := f.get("/api/v1/records/1/original")
	lost := indextest.Image(t, 77, indextest.Small).Record
	lost.Files = []index.File{{Path: f.root + "/elsewhere/Picture 1.jpg", Bytes: 3}}
	lost.Metadata.Title, lost.Tags = "=1+1", []string{"@x"}
	id := fmt.Sprint(servertest.Put(t, f.index, lost)[0])
	get := func(form string) answer {
		made := f.expect(f.json("POST", "/api/v1/downloads", `{"ids":["1","2","`+id+`","3"],"form":"`+form+`"}`), 201, "")
		return f.expect(f.get(made.text(t, "url")), 200, "")
	}
	archived := get("zip")
	archive, err := zip.NewReader(bytes.NewReader(archived.body), int64(len(archived.body)))
	indextest.Must(t, err)
	names := map[string]string{}
	for _, file := range archive.File {
		opened, err := file.Open()
		indextest.Must(t, err)
		content, err := io.ReadAll(opened)
		indextest.Must(t, err)
		names[file.Name] = string(content)
	}
	if names["Picture 1.jpg"] != string(copied) || names["Picture 1.jpg"] != string(first.body) || !strings.Contains(names["not included.txt"], "Picture 1 (2).jpg") || len(names) != 4 {
		t.Errorf("the archive has %v", slices.Collect(func(yield func(string) bool) {
			for name := range names {
				_ = yield(name)
			}
		}))
	}
	table, err := csv.NewReader(bytes.NewReader(get("csv").body)).ReadAll()
	indextest.Must(t, err)
	if len(table) != 5 || bytes.HasPrefix(get("csv").body, []byte("\xef\xbb\xbf")) {
		t.Fatalf("%d rows", len(table))
	}
	for _, row := range table {
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
	if paths := strings.Split(strings.TrimSpace(string(get("paths").body)), "\n"); len(paths) != 3 {
		t.Errorf("paths %q", paths)
	}
	f.expect(f.get("/api/v1/downloads/"+strings.Repeat("A", 26)), 404, problem.NotFound)
	f.expect(f.json("POST", "/api/v1/downloads", `{"ids":["99"],"form":"zip"}`), 404, problem.NotFound)
	f.expect(f.json("POST", "/api/v1/downloads", `{"ids":["1","2"],"form":"csv","scores":[1]}`), 400, problem.InvalidRequest)
}

// brokenLibrary cannot read some records, such as where they lie on another machine.
type brokenLibrary struct{ index.Library }

func (l brokenLibrary) Reader(ctx context.Context) (index.Reader, error) {
	reader, err := l.Library.Reader(ctx)
	return brokenReader{reader}, err
}

type brokenReader struct{ index.Reader }

func (r brokenReader) Records(ctx context.Context, ids []index.ID) ([]*index.Record, error) {
	if len(ids) == 500 {
		return nil, index.ErrUnavailable
	}
	return r.Reader.Records(ctx, ids)
}

// TestDownloadsThatBreakOff: whoever fetches one sees that it is not whole.
func TestDownloadsThatBreakOff(t *testing.T) {
	f := start(t, func(o *Options) { o.Library = brokenLibrary{o.Library} })
	ids := strings.TrimSuffix(strings.Repeat(`"1",`, 1500), ",") // read in two parts, of which the second fails
	for _, form := range []string{"csv", "json", "paths"} {
		made := f.expect(f.json("POST", "/api/v1/downloads", `{"ids":[`+ids+`],"form":"`+form+`"}`), 201, "")
		response, err := f.client.Do(f.request("GET", made.text(t, "url"), nil))
		if err != nil {
			continue // it broke off before its first bytes
		}
		content, err := io.ReadAll(response.Body)
		_ = response.Body.Close() // it was read
		if err == nil && response.StatusCode == 200 {
			t.Errorf("%s: %d bytes came, and no error", form, len(content))
		}
	}
}

// TestCollections: a collection has a count and a cover, is renamed with all its records, and goes without them.
func TestCollections(t *testing.T) {
	f := start(t)
	f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1","2"],"add_collections":["Trips"]}`), 200, "")
	f.expect(f.json("POST", "/api/v1/edits", `{"ids":["2"],"add_collections":["TRIPS"],"favourite":true}`), 200, "")
	list := f.expect(f.get("/api/v1/collections"), 200, "")
	if list.text(t, "collections.0.name") != "Trips" || list.text(t, "collections.0.count") != "2" || list.text(t, "collections.0.cover") != "2" {
		t.Errorf("%s", list.body)
	}
	f.expect(f.json("POST", "/api/v1/collections/trips", `{"name":"TRIPS"}`), 200, "")
	if found := f.expect(f.get("/api/v1/records?collection=trips"), 200, ""); found.text(t, "total") != "2" {
		t.Errorf("%s", found.body)
	}
	gone := f.expect(f.send(f.request("DELETE", "/api/v1/collections/Trips", nil)), 200, "")
	if list := f.expect(f.get("/api/v1/collections"), 200, ""); strings.Contains(string(list.body), "TRIPS") {
		t.Errorf("%s", list.body)
	}
	f.expect(f.send(f.request("DELETE", "/api/v1/collections/Trips", nil)), 404, problem.NotFound)
	f.expect(f.json("POST", "/api/v1/undo/"+gone.text(t, "undo"), ""), 200, "")
	if list := f.expect(f.get("/api/v1/collections"), 200, ""); list.text(t, "collections.0.name") != "TRIPS" {
		t.Errorf("%s", list.body)
	}
}

// TestUploadedWhileTheTrashIsEmptied: a picture that somebody uploads again between the look into the trash and its removal stays.
func TestUploadedWhileTheTrashIsEmptied(t *testing.T) {
	f := start(t)
	uploaded := jpegOf(64, 48)
	added := f.expect(f.form("/api/v1/records", map[string]string{"image": string(uploaded)}), 201, "")
	elsewhere := readFile(t, filepath.Join(f.root, "Picture 2.jpg"))
	ids := parsedIDs(t, added.text(t, "id"), "2")
	f.expect(f.json("POST", "/api/v1/trash", fmt.Sprintf(`{"ids":["%d","%d"]}`, ids[0], ids[1])), 200, "")
	var trashed []*index.Record
	indextest.Must(t, f.server.library.Read(t.Context(), func(reader index.Reader) (err error) {
		trashed, err = reader.Records(t.Context(), ids)
		return err
	}))
	for _, data := range [][]byte{uploaded, elsewhere} {
		f.expect(f.form("/api/v1/records", map[string]string{"image": string(data)}), 200, "")
	}
	indextest.Must(t, f.server.uploads.Store.RemoveAll(t.Context(), trashed))
	for _, id := range ids {
		f.expect(f.get("/api/v1/records/"+id.String()), 200, "")
		f.expect(f.get("/api/v1/records/"+id.String()+"/original"), 200, "")
	}
	f.expect(f.json("POST", "/api/v1/trash", fmt.Sprintf(`{"ids":["%d","%d"]}`, ids[0], ids[1])), 200, "")
	if emptied := f.expect(f.send(f.request("DELETE", "/api/v1/trash", nil)), 200, ""); emptied.text(t, "removed") != "2" {
		t.Errorf("%s", emptied.body)
	}
	for _, id := range ids {
		f.expect(f.get("/api/v1/records/"+id.String()), 404, problem.NotFound)
	}
}

// TestUndoTakesBackItsOwnChangeAlone: what somebody else gave, took or set meanwhile stays.
func TestUndoTakesBackItsOwnChangeAlone(t *testing.T) {
	f := start(t)
	edit := func(body string) string {
		t.Helper()
		return f.expect(f.json("POST", "/api/v1/edits", `{"ids":["1"],`+body+`}`), 200, "").text(t, "undo")
	}
	undo := func(token string) string {
		t.Helper()
		return f.expect(f.json("POST", "/api/v1/undo/"+token, ""), 200, "").text(t, "undo")
	}
	holds := func(what string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if now := given(t, f, "1"); !strings.Contains(now, part) {
				t.Errorf("%s: %s is not in %s", what, part, now)
			}
		}
	}
	edit(`"add_tags":["early","old"],"add_people":["Ada"],"add_collections":["Trips"],"rating":2,"title":"First"`)
	ours := edit(`"add_tags":["ours"],"remove_tags":["old"],"add_people":["Bo"],"add_collections":["Best"],"rating":3,"title":"Ours"`)
	edit(`"add_tags":["theirs"],"remove_tags":["early"],"add_people":["Cy"],"remove_people":["Ada"],"add_collections":["Theirs"],"rating":5`)
	again := undo(ours)
	holds("undone", `"old"`, `"theirs"`, `["Cy"]`, `["Theirs","Trips"]`, `"rating":5`, `"First"`)
	for _, gone := range []string{`"ours"`, `"early"`, `"Ours"`} {
		if now := given(t, f, "1"); strings.Contains(now, gone) {
			t.Errorf("%s is in %s", gone, now)
		}
	}
	undo(again) // done again
	holds("done again", `"ours"`, `"theirs"`, `["Bo","Cy"]`, `["Best","Theirs","Trips"]`, `"rating":5`, `"Ours"`)
	// A word that changed its case comes back in its own.
	edit(`"add_tags":["lake"]`)
	written := edit(`"add_tags":["Lake"]`)
	undo(written)
	holds("case", `"lake"`)
	// A collection that was renamed keeps what came into it since.
	f.expect(f.json("POST", "/api/v1/edits", `{"ids":["2"],"add_collections":["Trips"]}`), 200, "")
	renamed := f.expect(f.json("POST", "/api/v1/collections/Trips", `{"name":"Journeys"}`), 200, "").text(t, "undo")
	edit(`"add_collections":["Other"]`)
	undo(renamed)
	holds("renamed and undone", `"Trips"`, `"Other"`)
}
