package server

import (
	"encoding/json"
	"net/http"
	"testing"
)

// TestFacetsOfHits: of all images, of a search, of a search by image, and below a folder.
func TestFacetsOfHits(t *testing.T) {
	f := start(t)
	all := f.expect(f.get("/api/v1/facets?of=folders&of=formats"), http.StatusOK, "")
	if all.text(t, "total") != "2" || all.text(t, "facets.0.name") != "folders" || all.text(t, "facets.1.name") != "formats" {
		t.Errorf("%s", all.body)
	}
	folder := all.text(t, "facets.0.values.0.value")
	if below := f.get("/api/v1/facets?of=folders&under=" + folder); below.text(t, "facets.0.filter") != "folder" {
		t.Errorf("%s", below.body)
	}
	for _, search := range []string{"q=red&show=all", "record=1&show=all", "q=tag:pet"} {
		found, counted := f.get("/api/v1/search?"+search), f.get("/api/v1/facets?"+search)
		if found.text(t, "total") != counted.text(t, "total") {
			t.Errorf("%s: %s hits, and %s are counted", search, found.text(t, "total"), counted.text(t, "total"))
		}
	}
	f.expect(f.json(http.MethodPost, "/api/v1/facets", `{"text":"red","of":["tags"],"find":"pe"}`), http.StatusOK, "")
	f.expect(f.get("/api/v1/facets?of=shoes"), http.StatusBadRequest, "invalid_request")
	f.expect(f.get("/api/v1/facets?under=/a"), http.StatusBadRequest, "invalid_option")
	f.expect(f.get("/api/v1/facets?record=999"), http.StatusNotFound, "record_not_found")
}

// TestDidYouMean: a word that the library lacks by a letter is put right where nothing is found.
func TestDidYouMean(t *testing.T) {
	f := start(t)
	for query, want := range map[string]string{"two+cast+tag:nothing": "two cats tag:nothing", "two+cats+tag:nothing": ""} {
		var answer struct {
			DidYouMean string `json:"did_you_mean"`
		}
		got := f.expect(f.get("/api/v1/search?q="+query), http.StatusOK, "")
		if err := json.Unmarshal(got.body, &answer); err != nil {
			t.Fatal(err)
		}
		if answer.DidYouMean != want {
			t.Errorf("%s: did you mean %q, want %q", query, answer.DidYouMean, want)
		}
	}
}
