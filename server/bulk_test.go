package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/server/auth"
	"mekiki/server/problem"
)

// TestDeleteMany: records go by id, external id and filter; a dry run tells without deleting, and what went comes back.
func TestDeleteMany(t *testing.T) {
	f := start(t)
	for i := range 12 {
		f.put(index.Record{Kind: index.KindText, Hash: index.Hash{200, byte(i)}, Text: "a shoe", ExternalID: fmt.Sprintf("sku-%d", i), Tags: []string{"shoe"}})
	}
	total := func() string { return f.get("/api/v1/records?limit=1").text(t, "total") }
	before := total()
	dry := f.expect(f.json("POST", "/api/v1/deletions", `{"filter":{"tags":["shoe"]},"dry_run":true}`), 200, "")
	if dry.text(t, "matched") != "12" || dry.text(t, "deleted") != "0" || len(dry.at(t, "sample").([]any)) != 10 || total() != before {
		t.Errorf("dry run: %s; %s records, before %s", dry.body, total(), before)
	}
	got := f.expect(f.json("POST", "/api/v1/deletions", `{"ids":["1","1","999"],"external_ids":["sku-3","sku-3","none"]}`), 200, "")
	if got.text(t, "matched") != "2" || got.text(t, "deleted") != "2" || got.text(t, "missing") != "[999 none]" {
		t.Errorf("by ids: %s", got.body)
	}
	f.expect(f.json("POST", "/api/v1/undo/"+got.text(t, "undo"), ""), 200, "")
	if total() != before {
		t.Errorf("%s records after undo, before %s", total(), before)
	}
	if got := f.expect(f.json("POST", "/api/v1/deletions", `{"filter":{"tags":["shoe"]},"permanent":true}`), 200, ""); got.text(t, "deleted") != "12" {
		t.Errorf("for good: %s", got.body)
	}
	if got := f.get("/api/v1/records?kind=text&tag=shoe&trash=any"); got.text(t, "total") != "0" {
		t.Errorf("left: %s", got.body)
	}
}

func TestDeletionsRefused(t *testing.T) {
	f := start(t)
	for _, body := range []string{
		`{"ids":["0"]}`, `{"filter":{"colour":"red"}}`, `{"ids":["1"],"dry_run":"no"}`, `{"filter":null}`,
		`{"external_ids":[""]}`, `{"filter":{"after":"x"}}`, `[]`,
	} {
		f.expect(f.json("POST", "/api/v1/deletions", body), 400, problem.InvalidRequest)
	}
	for _, body := range []string{`{}`, `{"ids":[]}`, `{"filter":{}}`, `{"filter":{"tags":[]},"permanent":true}`} {
		if got := f.expect(f.json("POST", "/api/v1/deletions", body), 200, ""); got.text(t, "matched") != "0" {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	list, secrets := tokens(t)
	guarded := start(t, func(o *Options) { o.Tokens = list })
	for _, path := range []string{"/api/v1/deletions", "/api/v1/uploads"} {
		guarded.expect(guarded.json("POST", path, `{"ids":["1"]}`, bearer(secrets[auth.ScopeRead])), 403, problem.Forbidden)
	}
	guarded.expect(guarded.json("PATCH", "/api/v1/records/1", `{}`, bearer(secrets[auth.ScopeRead])), 403, problem.Forbidden)
	guarded.expect(guarded.json("POST", "/api/v1/uploads/known", `{"hashes":["`+strings.Repeat("a", 64)+`"]}`, bearer(secrets[auth.ScopeRead])), 200, "")
}

// batchOf is a form of details, if any, and images by name.
func batchOf(t *testing.T, details string, images ...[2]string) (*bytes.Buffer, func(*http.Request)) {
	t.Helper()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	if details != "" {
		if err := writer.WriteField("request", details); err != nil {
			t.Fatal(err)
		}
	}
	for _, image := range images {
		part, err := writer.CreateFormFile("image", image[0])
		if err == nil {
			_, err = part.Write([]byte(image[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return &body, header("Content-Type", writer.FormDataContentType())
}

// TestUploadMany: each picture has a result of its own, and what is wrong with one costs no other.
func TestUploadMany(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.UploadBytes = 100_000 })
	first, second := string(jpegOf(40, 30)), string(jpegOf(50, 30))
	body, kind := batchOf(t, `{"tags":["trip"],"folder":"Lake"}`,
		[2]string{"one.jpg", first}, [2]string{"broken.jpg", first[:len(first)/8]}, [2]string{"empty.jpg", ""},
		[2]string{"../../large.jpg", strings.Repeat("x", 100_001)}, [2]string{"two.jpg", second}, [2]string{"again.jpg", first})
	got := f.expect(f.send(f.request("POST", "/api/v1/uploads", body, kind)), 200, "")
	var states []string
	for i := range 6 {
		states = append(states, got.text(t, fmt.Sprintf("results.%d.status", i)))
	}
	if want := "201 422 400 413 201 200"; strings.Join(states, " ") != want || got.text(t, "added") != "2" || got.text(t, "known") != "1" || got.text(t, "failed") != "3" {
		t.Errorf("%v, want %s: %s", states, want, got.body)
	}
	if got.text(t, "results.3.name") != "large.jpg" || got.text(t, "results.4.record.name") != "Lake/two.jpg" || got.text(t, "results.0.record.tags") != "[trip]" {
		t.Errorf("names: %s", got.body)
	}
	sum, none := sha256.Sum256([]byte(second)), strings.Repeat("0", 64)
	hash := hex.EncodeToString(sum[:])
	f.expect(f.send(f.request("DELETE", "/api/v1/records/"+got.text(t, "results.4.record.id"), nil)), 204, "")
	known := f.expect(f.json("POST", "/api/v1/uploads/known", `{"hashes":["`+strings.ToUpper(hash)+`","`+none+`","`+hash+`"]}`), 200, "")
	if known.text(t, "known.0.hash") != hash || known.text(t, "known.0.trash") != "true" || known.text(t, "unknown") != "["+none+"]" || len(known.at(t, "known").([]any)) != 1 {
		t.Errorf("known: %s", known.body)
	}
}

func TestUploadManyRefused(t *testing.T) {
	f := start(t)
	post := func(details string, images ...[2]string) answer {
		body, kind := batchOf(t, details, images...)
		return f.send(f.request("POST", "/api/v1/uploads", body, kind))
	}
	f.expect(post(`{"tags":["x"]}`), 400, problem.InvalidRequest)
	f.expect(post(`{"tags":[" "]}`, [2]string{"a", string(jpegOf(41, 31))}), 400, problem.InvalidRequest)
	f.expect(post(`{"folder":"../up"}`, [2]string{"a", string(jpegOf(42, 31))}), 400, problem.InvalidRequest)
	f.expect(post("", make([][2]string, 101)...), 400, problem.InvalidRequest)
	f.expect(f.json("POST", "/api/v1/uploads", `{}`), 415, problem.UnsupportedMediaType)
	body, kind := batchOf(t, "", [2]string{"a.jpg", string(jpegOf(43, 31))}, [2]string{"b.jpg", string(jpegOf(44, 31))})
	body.Truncate(body.Len() - 100)
	f.expect(f.send(f.request("POST", "/api/v1/uploads", body, kind)), 400, problem.InvalidRequest)
	for _, hashes := range []string{`[]`, `["abc"]`, `[1]`, `["` + strings.Repeat("g", 64) + `"]`} {
		f.expect(f.json("POST", "/api/v1/uploads/known", `{"hashes":`+hashes+`}`), 400, problem.InvalidRequest)
	}
}

// TestPatchOneRecord: members that are named change, null leaves to the file, and the rest stays.
func TestPatchOneRecord(t *testing.T) {
	f := start(t)
	for _, step := range []struct{ body, want string }{
		{`{"title":"Lake","rating":4,"date":"1984-07","favourite":true,"tags":["a","b"],"collections":["Trips"]}`,
			`title Lake, rating 4, date 1984-07-01T00:00:00Z, tags [a b], given.favourite true, given.collections [Trips]`},
		{`{}`, `title Lake, rating 4, tags [a b]`},
		{`{"rating":null,"title":null,"favourite":null,"tags":["c"]}`, `title <nil>, rating <nil>, tags [c], given.favourite <nil>, given.collections [Trips]`},
		{`{"tags":null,"collections":null,"date":null}`, `tags [], given <nil>`},
		{`{"hidden":true,"rating":0}`, `given.hidden true`},
		{`{"description":" By the lake;\nin July ","people":["Bo","Ada"]}`, "description By the lake;\nin July, people [Ada Bo], given.hidden true"},
		{`{"title":"x"}`, `people [Ada Bo], title x`},
		{`{"description":null,"people":null}`, `description <nil>, people <nil>, given.description <nil>`},
	} {
		kind := header("Content-Type", "application/merge-patch+json")
		got := f.expect(f.json("PATCH", "/api/v1/records/1", step.body, kind), 200, "")
		for part := range strings.SplitSeq(step.want, ", ") {
			name, value, _ := strings.Cut(part, " ")
			if got.text(t, name) != value {
				t.Errorf("%s: %s is %s, want %s", step.body, name, got.text(t, name), value)
			}
		}
	}
	for body, code := range map[string]problem.Code{
		`{"rating":6}`: problem.InvalidRequest, `{"date":"1984-02-30"}`: problem.InvalidRequest, `{"caption":"x"}`: problem.InvalidRequest,
		`{"tags":[" "]}`: problem.InvalidRequest, `{"tags":"x"}`: problem.InvalidRequest, `{"title":"a\u0000"}`: problem.InvalidRequest, `null`: problem.InvalidRequest, `[]`: problem.InvalidRequest,
		`{"people":[""]}`: problem.InvalidRequest, `{"description":"a\u0001"}`: problem.InvalidRequest,
		`{"title":"` + strings.Repeat("x", 1001) + `"}`: problem.InvalidRequest,
	} {
		f.expect(f.json("PATCH", "/api/v1/records/1", body), 400, code)
	}
	f.expect(f.json("PATCH", "/api/v1/records/999", `{"rating":1}`), 404, problem.NotFound)
	f.expect(f.json("PATCH", "/api/v1/records/1", `{}`, header("Content-Type", "text/plain")), 415, problem.UnsupportedMediaType)
}

// TestConditionsOfRecords: a record that is as the reader has it is not sent, and one that is not as the writer has it is
// not changed.
func TestConditionsOfRecords(t *testing.T) {
	f := start(t)
	const path = "/api/v1/records/1"
	tag := f.get(path).Header.Get("ETag")
	f.expect(f.get(path, header("If-None-Match", tag)), 304, "")
	f.expect(f.get(path, header("If-None-Match", `"x", W/`+tag)), 304, "")
	f.expect(f.get(path, header("If-None-Match", `"x"`)), 200, "")
	changed := f.expect(f.json("PATCH", path, `{"rating":1}`, header("If-Match", `"y", `+tag)), 200, "")
	if next := changed.Header.Get("ETag"); next == tag || next != f.get(path).Header.Get("ETag") {
		t.Errorf("tag %s after %s; it is read as %s", next, tag, f.get(path).Header.Get("ETag"))
	}
	stale := header("If-Match", tag)
	for _, refused := range []answer{
		f.json("PATCH", path, `{"rating":2}`, stale), f.json("PATCH", path, `{"rating":2}`, header("If-Match", "W/"+changed.Header.Get("ETag"))),
		f.send(f.request("DELETE", path, nil, stale)), f.send(f.request("DELETE", path+"?permanent=true", nil, stale)),
		f.send(f.request("PUT", path+"/tags/new", nil, stale)), f.send(f.request("DELETE", path+"/tags/pet", nil, stale)),
	} {
		f.expect(refused, 412, problem.PreconditionFailed)
	}
	if now := f.get(path); now.Header.Get("ETag") != changed.Header.Get("ETag") {
		t.Errorf("a refused change changed something: %s", now.body)
	}
	tagged := f.expect(f.send(f.request("PUT", path+"/tags/new", nil, header("If-Match", changed.Header.Get("ETag")))), 200, "")
	f.expect(f.send(f.request("DELETE", path+"?permanent=true", nil, header("If-Match", tagged.Header.Get("ETag")))), 204, "")
	f.expect(f.json("PATCH", path, `{"rating":2}`, header("If-Match", "*")), 404, problem.NotFound)
}
