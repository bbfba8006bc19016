package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"mekiki/embed"
	"mekiki/search/contract"
	"mekiki/search/duplicates"
	"mekiki/search/lookup"
	"mekiki/server/jobs"
	"mekiki/server/openapi"
	"mekiki/server/problem"
	"mekiki/server/status"
	"mekiki/server/wire"
)

// pathParameter is a parameter in a path of the router.
var pathParameter = regexp.MustCompile(`:([a-z]+)`)

// TestRoutesAndDocumentAgree: New refuses a server whose table of routes and
// document differ; here the router itself is asked.
func TestRoutesAndDocumentAgree(t *testing.T) {
	f := prepare(t)
	pages := []string{"/*", "/api/docs", "/api/docs/", "/api/docs/document.js", "/api/docs/document.css", agentsPath}
	routed := map[string]bool{}
	for _, line := range f.server.echo.Routes() {
		if slices.Contains(pages, line.Path) || line.Method == http.MethodHead {
			continue
		}
		path := pathParameter.ReplaceAllString(line.Path, "{$1}")
		routed[line.Method+" "+path] = true
		if f.document.Operation(line.Method, path) == nil {
			t.Errorf("the router has %s %s, which the document has not", line.Method, path)
		}
	}
	for _, operation := range f.document.Operations() {
		if !routed[operation.Method+" "+operation.Path] {
			t.Errorf("the document has %s %s, which the router has not", operation.Method, operation.Path)
		}
		if operation.ID == "" || operation.Summary == "" {
			t.Errorf("%s %s has no operationId or summary", operation.Method, operation.Path)
		}
	}
}

func TestDocumentListsTheProblems(t *testing.T) {
	f := start(t)
	got := f.get("/api/v1/openapi.json")
	listed := map[string]bool{}
	for _, entry := range got.at(t, "x-problems").([]any) {
		p := entry.(map[string]any)
		code := problem.Code(p["code"].(string))
		listed[string(code)] = true
		if code.Title() == "" || code.Title() != p["title"] {
			t.Errorf("the document says %v of %s, the table %q", p, code, code.Title())
		}
	}
	enum := f.document.Schema("Problem").Property("code").Enum()
	for _, code := range problem.Codes() {
		if !listed[string(code)] || !slices.Contains(enum, string(code)) {
			t.Errorf("the document does not list the problem %s", code)
		}
	}
}

// TestEveryOperationSucceeds calls each operation once as it is meant to be
// called; the fixture holds every answer against the document.
func TestEveryOperationSucceeds(t *testing.T) {
	f := start(t, func(o *Options) {
		o.Switch = func(ctx context.Context, space embed.Space) error { return o.Library.ServeSpace(ctx, space) }
	})
	other := embed.Space{Fingerprint: strings.Repeat("5ace", 16), Parts: 2, Width: 3}
	if err := f.index.AddSpace(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	image := string(jpegOf(32, 24))
	called := map[string]bool{}
	step := func(id string, status int, got answer) {
		t.Helper()
		called[id] = true
		if operation := operationOf(f.document, got.Request.Method, got.Request.URL); operation == nil || operation.ID != id {
			t.Fatalf("%s called %v", id, operation)
		}
		f.expect(got, status, "")
	}
	step("search", 200, f.get("/api/v1/search?q=two+cats&limit=5&explain=true&tag=a&tag=b&near=35,139,2&crop=0,0,0.5,0.5&record=1"))
	step("searchFull", 200, f.json("POST", "/api/v1/search", `{"text":"two cats","filter":{"after":"2024-01-01","kinds":["image"]},"rerank_ms":0}`))
	step("searchFull", 200, f.form("/api/v1/search", map[string]string{"image": image, "request": `{"text":"at night","crop":{"x":0,"y":0,"width":0.5,"height":1}}`}))
	step("embed", 200, f.json("POST", "/api/v1/embeddings", `{"texts":["two cats"],"records":["1"],"pool":"mean","encoding":"base64"}`))
	step("listTranslations", 200, f.get("/api/v1/translations"))
	step("translate", 200, f.json("POST", "/api/v1/translations", `{"texts":["赤"],"from":"ja","to":"en"}`))
	step("searchMany", 200, f.json("POST", "/api/v1/search/batch", `{"searches":[{"text":"two cats"},{"record":"999"}]}`))
	step("facets", 200, f.get("/api/v1/facets?q=two+cats&of=folders&depth=2&size=small"))
	step("facetsFull", 200, f.form("/api/v1/facets", map[string]string{"image": image, "request": `{"of":["tags"],"find":"pe"}`}))
	step("similar", 200, f.form("/api/v1/similar", map[string]string{"image": image}))
	step("similarToRecord", 200, f.get("/api/v1/records/1/similar?limit=3"))
	step("locateInRecord", 200, f.get("/api/v1/records/1/map?text=two+cats&method=occlusion"))
	step("locateInRecord", 200, f.get("/api/v1/records/1/map?text=two+cats&format=png"))
	step("ask", 200, f.json("POST", "/api/v1/ask", question))
	step("captionImage", 200, f.json("POST", "/api/v1/caption", `{"record":"1","prompt":"a photo of"}`))
	step("chat", 200, f.json("POST", "/api/v1/chat", question))
	step("lookup", 200, f.form("/api/v1/lookup", map[string]string{"image": image}))
	step("lookup", 200, f.json("POST", "/api/v1/lookup", `{"record":"1","limit":3}`))
	step("labels", 200, f.form("/api/v1/labels", map[string]string{"image": image, "request": `{"labels":["a cat","a dog"]}`}))
	step("duplicates", 200, f.get("/api/v1/duplicates?level=scene&similarity=0.9"))
	step("suggestions", 200, f.get("/api/v1/suggestions?q=two"))
	step("listRecords", 200, f.get("/api/v1/records?facets=true&sort=date_ascending"))
	step("addRecord", 201, f.form("/api/v1/records", map[string]string{"image": string(jpegOf(40, 30)), "request": `{"tags":["new"]}`}))
	step("addRecord", 200, f.form("/api/v1/records", map[string]string{"image": string(jpegOf(40, 30))}))
	step("getRecord", 200, f.get("/api/v1/records/1"))
	step("patchRecord", 200, f.json("PATCH", "/api/v1/records/1", `{"title":null,"rating":3,"tags":["pet"]}`))
	batch, kind := batchOf(t, "", [2]string{"a.jpg", image}, [2]string{"b.jpg", "x"})
	step("addRecords", 200, f.send(f.request("POST", "/api/v1/uploads", batch, kind)))
	step("findKnown", 200, f.json("POST", "/api/v1/uploads/known", `{"hashes":["`+strings.Repeat("0", 64)+`"]}`))
	step("deleteRecords", 200, f.json("POST", "/api/v1/deletions", `{"external_ids":["none"],"filter":{"tags":["none"]},"dry_run":true}`))
	step("tagRecord", 200, f.send(f.request("PUT", "/api/v1/records/1/tags/red%20car", nil)))
	step("untagRecord", 200, f.send(f.request("DELETE", "/api/v1/records/1/tags/red%20car", nil)))
	step("changeTags", 200, f.json("POST", "/api/v1/tags", `{"ids":["1","2"],"add":["x"],"remove":["pet"]}`))
	step("listTags", 200, f.get("/api/v1/tags?limit=3&sort=count&find=x"))
	step("listPeople", 200, f.get("/api/v1/people"))
	step("getThumbnail", 200, f.get("/api/v1/records/1/thumbnail"))
	step("getOriginal", 200, f.get("/api/v1/records/1/original?download=true"))
	step("getRendition", 200, f.get("/api/v1/records/1/renditions/1600"))
	step("getTiles", 200, f.get("/api/v1/records/1/tiles"))
	step("getTile", 200, f.get("/api/v1/records/1/tiles/0/0/0"))
	step("getLayout", 200, f.get("/api/v1/layout?sort=date_ascending&kind=image"))
	step("editRecords", 200, f.json("POST", "/api/v1/edits", `{"ids":["1"],"add_collections":["Best"],"rating":4,"favourite":true,"title":"Two cats","date":"1984-07"}`))
	edited := f.json("POST", "/api/v1/edits", `{"ids":["1","2"],"add_tags":["y"],"clear":["rating"]}`)
	step("undoEdit", 200, f.json("POST", "/api/v1/undo/"+edited.text(t, "undo"), ""))
	step("listCollections", 200, f.get("/api/v1/collections"))
	step("renameCollection", 200, f.json("POST", "/api/v1/collections/best", `{"name":"Best/of 2024"}`))
	step("getRecord", 200, f.get("/api/v1/records/1"))
	step("deleteCollection", 200, f.send(f.request("DELETE", "/api/v1/collections/best%2Fof%202024", nil)))
	step("saveSearch", 200, f.json("POST", "/api/v1/saved-searches", `{"name":"Cats","query":"q=cats"}`))
	step("listSavedSearches", 200, f.get("/api/v1/saved-searches"))
	step("dropSavedSearch", 204, f.send(f.request("DELETE", "/api/v1/saved-searches/cats", nil)))
	for _, form := range []string{"zip", "csv", "json", "paths"} {
		made := f.json("POST", "/api/v1/downloads", `{"ids":["1","2","3"],"form":"`+form+`","scores":[0.5,0.25,0]}`)
		step("makeDownload", 201, made)
		step("getDownload", 200, f.get(made.text(t, "url")))
	}
	step("trashRecords", 200, f.json("POST", "/api/v1/trash", `{"ids":["1"]}`))
	step("listTrash", 200, f.get("/api/v1/trash?limit=5"))
	step("restoreRecords", 200, f.json("POST", "/api/v1/trash/restore", `{"ids":["1"]}`))
	step("deleteRecord", 204, f.send(f.request("DELETE", "/api/v1/records/2", nil)))
	step("emptyTrash", 200, f.send(f.request("DELETE", "/api/v1/trash", nil)))
	step("listTexts", 200, f.get("/api/v1/texts?limit=1"))
	step("addTexts", 200, f.json("POST", "/api/v1/texts", `{"texts":[{"text":"a red car","external_id":"sku-9","fields":{"price":"3"},"tags":["car"]}]}`))
	step("listSpaces", 200, f.get("/api/v1/spaces"))
	step("serveSpace", 200, f.send(f.request("POST", "/api/v1/spaces/"+other.Fingerprint[:8]+"/serve", nil)))
	step("serveSpace", 200, f.send(f.request("POST", "/api/v1/spaces/previous/serve", nil)))
	step("dropSpace", 204, f.send(f.request("DELETE", "/api/v1/spaces/"+other.Fingerprint, nil)))
	step("remove", 200, f.json("POST", "/api/v1/removals", `{"records":["999"],"files":["/nowhere/1.jpg"],"failures":["/nowhere/2.jpg"]}`))
	step("startJob", 202, f.json("POST", "/api/v1/jobs", `{"captions":false}`))
	step("listJobs", 200, f.get("/api/v1/jobs"))
	step("getJob", 200, f.get("/api/v1/jobs/1"))
	step("followJob", 200, f.get("/api/v1/jobs/1/events"))
	step("listJobFailures", 200, f.get("/api/v1/jobs/1/failures"))
	step("cancelJob", 202, f.send(f.request("DELETE", "/api/v1/jobs/1", nil)))
	step("listFailures", 200, f.get("/api/v1/failures?limit=1"))
	step("listFailures", 200, f.get("/api/v1/failures?format=csv&reason=damaged"))
	step("listModels", 200, f.get("/api/v1/models"))
	step("getStatus", 200, f.get("/api/v1/status"))
	step("getSession", 200, f.get("/api/v1/session"))
	step("listWebhooks", 200, f.get("/api/v1/webhooks"))
	step("listDeliveries", 200, f.get("/api/v1/webhooks/deliveries?limit=1"))
	called["testWebhook"] = true // needs a webhook: see TestWebhooks
	step("listTokens", 200, f.get("/api/v1/tokens?limit=1"))
	called["makeToken"], called["expireToken"], called["revokeToken"] = true, true, true // need a file: see TestTokensOverHTTP
	step("listShares", 200, f.get("/api/v1/shares?limit=1"))
	called["shareCollection"], called["endShare"] = true, true // need a file of tokens: see TestSharesAreListedAndEnded
	step("signOut", 204, f.send(f.request("DELETE", "/api/v1/session", nil)))
	step("getOpenAPI", 200, f.get("/api/v1/openapi.json"))
	step("health", 200, f.get("/healthz"))
	step("ready", 200, f.get("/readyz"))
	step("metrics", 200, f.get("/metrics"))
	called["signIn"] = true // needs tokens: see TestSessions
	for _, operation := range f.document.Operations() {
		if !called[operation.ID] {
			t.Errorf("%s was not called", operation.ID)
		}
	}
}

// TestExamplesHold: what the document offers to try is what it asks for.
func TestExamplesHold(t *testing.T) {
	f := prepare(t)
	var document struct {
		Components struct {
			Schemas map[string]struct{ Examples []any }
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(openapiDocument))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		t.Fatal(err)
	}
	found := 0
	for name, schema := range document.Components.Schemas {
		for _, example := range schema.Examples {
			found++
			for _, violation := range f.document.Schema(name).Validate(example) {
				t.Errorf("%s: %s %s", name, violation.Field, violation.Detail)
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d examples", found)
	}
}

// TestAnswersAreDescribed: each member that an answer's type may have is in the document, also those that no test sees.
func TestAnswersAreDescribed(t *testing.T) {
	document := prepare(t).document
	for name, answer := range map[string]any{
		"SearchAnswer": contract.Response{}, "LookupAnswer": lookup.Response{}, "DuplicatesAnswer": duplicates.Response{}, "Record": wire.Record{},
		"RecordList": wire.RecordList{}, "Tiles": wire.Pyramid{}, "Job": jobs.Job{}, "Status": status.Status{}, "Problem": problem.Problem{},
	} {
		described(t, name, reflect.TypeOf(answer), document.Schema(name))
	}
}

// described compares the members of a type with those of a schema.
func described(t *testing.T, field string, kind reflect.Type, schema *openapi.Schema) {
	t.Helper()
	for kind.Kind() == reflect.Pointer || kind.Kind() == reflect.Slice {
		if kind.Kind() == reflect.Slice {
			schema = schema.Items()
		}
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct || kind == reflect.TypeFor[time.Time]() || schema == nil {
		return
	}
	for i := range kind.NumField() {
		member := kind.Field(i)
		name, _, _ := strings.Cut(member.Tag.Get("json"), ",")
		switch {
		case member.Anonymous && name == "":
			described(t, field, member.Type, schema)
		case name == "-" || !member.IsExported() || name == "":
		case schema.Property(name) == nil:
			t.Errorf("%s.%s is not in the document", field, name)
		default:
			described(t, field+"."+name, member.Type, schema.Property(name))
		}
	}
}
