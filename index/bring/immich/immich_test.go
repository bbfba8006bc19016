package immich

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index/bring"
)

// picture is an answer about an asset with the members of AssetResponseDto that Immich's document requires.
func picture(id, name string, more string) string {
	return `{"id": "` + id + `", "type": "IMAGE", "checksum": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "originalPath": "/usr/src/app/upload/` + name + `", "originalFileName": "` + name +
		`", "deviceAssetId": "x", "deviceId": "y", "ownerId": "z", "fileCreatedAt": "2024-05-01T10:00:00.000Z", "fileModifiedAt": "2024-05-01T10:00:00.000Z", "localDateTime": "2024-05-01T12:00:00.000Z",
		"updatedAt": "2024-05-01T10:00:00.000Z", "isArchived": false, "isOffline": false, "hasMetadata": true, "thumbhash": null, "duration": "0:00:00.00000", "isTrashed": false, ` + more + `}`
}

// server answers as versions from 1.133 on do, or older ones, by the operations of the published document.
func server(t *testing.T, old bool) *httptest.Server {
	t.Helper()
	first := picture("1", "a.jpg", `"isFavorite": true, "people": [{"id": "p", "name": "Ada", "birthDate": null, "thumbnailPath": "", "isHidden": false, "faces": []}, {"id": "q", "name": ""}],
		"exifInfo": {"description": "Rain", "rating": 4, "fileSizeInByte": 123, "dateTimeOriginal": "2024-05-01T10:00:00.000Z"}`)
	second := picture("2", "b.jpg", `"isFavorite": false, "exifInfo": {"description": "", "rating": null, "fileSizeInByte": 5}`)
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text)) // the client notices
	}
	mux.HandleFunc("GET /api/tags", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, `[{"id": "t1", "name": "Places", "value": "Places", "createdAt": "", "updatedAt": ""}, {"id": "t2", "name": "Rome", "value": "Places/Rome", "parentId": "t1", "createdAt": "", "updatedAt": ""}]`)
	})
	mux.HandleFunc("GET /api/albums", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, `[{"id": "b1", "albumName": "Best", "description": "", "assetCount": 1, "assets": []}]`)
	})
	mux.HandleFunc("GET /api/albums/b1", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, `{"id": "b1", "albumName": "Best", "assets": [`+first+`]}`)
	})
	mux.HandleFunc("POST /api/search/metadata", func(w http.ResponseWriter, r *http.Request) {
		var asked map[string]any
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		known := []string{"page", "size", "withExif", "withPeople", "type", "tagIds", "visibility", "albumIds"}
		if old {
			known = append(known[:6], "withArchived")
		}
		for member := range asked {
			if !slices.Contains(known, member) { // the server validates so
				http.Error(w, `{"message": ["property `+member+` should not exist"]}`, http.StatusBadRequest)
				return
			}
		}
		page, _ := asked["page"].(float64)
		switch {
		case asked["tagIds"] != nil || asked["albumIds"] != nil:
			answer(w, `{"albums": {}, "assets": {"items": [`+first+`], "nextPage": null}}`)
		case asked["visibility"] == "archive":
			answer(w, `{"albums": {}, "assets": {"items": [{"id": "3", "type": "VIDEO"}, {"id": 7}], "nextPage": null}}`)
		case page == 1:
			answer(w, `{"albums": {}, "assets": {"items": [`+first+`], "nextPage": "2"}}`)
		default:
			answer(w, `{"albums": {}, "assets": {"items": [`+second+`], "nextPage": null}}`)
		}
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != "secret" {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func items(ctx context.Context, s Server) (found []bring.Item, problems []bring.Problem, err error) {
	err = Source(s)(ctx, bring.Sink{
		Item:    func(item bring.Item) error { found = append(found, item); return nil },
		Problem: func(problem bring.Problem) { problems = append(problems, problem) },
	})
	return found, problems, err
}

func TestSource(t *testing.T) {
	four := 4
	sum := bring.Sum{Kind: bring.SHA1, Hex: "da39a3ee5e6b4b0d3255bfef95601890afd80709"}
	want := []bring.Item{
		{
			Path: "/usr/src/app/upload/a.jpg", Name: "a.jpg", Bytes: 123, Sum: sum, Tags: []string{"Places/Rome"}, Albums: []string{"Best"}, People: []string{"Ada", ""},
			Rating: &four, Favourite: true, Description: "Rain", Date: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC),
		},
		{Path: "/usr/src/app/upload/b.jpg", Name: "b.jpg", Bytes: 5, Sum: sum},
	}
	for _, old := range []bool{false, true} {
		s := server(t, old)
		for _, address := range []string{s.URL, s.URL + "/api/"} {
			got, problems, err := items(t.Context(), Server{Address: address, Key: "secret"})
			if err != nil || !old && len(problems) != 1 {
				t.Fatal(problems, err)
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("old %v (-want +got):\n%s", old, diff)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	s := server(t, false)
	if _, _, err := items(t.Context(), Server{Address: s.URL, Key: "wrong"}); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Error(err)
	}
	for _, address := range []string{"", "photos.local", "file:///etc", "http://ada:secret@photos.local"} {
		if _, _, err := items(t.Context(), Server{Address: address}); err == nil {
			t.Errorf("%s was asked", address)
		}
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "elsewhere" && r.URL.Path == "/api/tags" {
			http.Redirect(w, r, s.URL+"/api/tags", http.StatusFound)
			return
		}
		t.Errorf("the key went to %s", r.URL)
	}))
	defer other.Close()
	if _, _, err := items(t.Context(), Server{Address: other.URL, Key: "secret"}); err == nil {
		t.Error("a redirect was followed")
	}
}

// FuzzAsset: an answer that is none costs only itself.
func FuzzAsset(f *testing.F) {
	f.Add([]byte(picture("1", "a.jpg", `"exifInfo": {"rating": 3}`)))
	f.Add([]byte(`{"id": 3, "people": {}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := reader{tags: map[string][]string{}, albums: map[string][]string{}}
		if item, ok, err := r.item(data); ok && err == nil && item.Rating != nil && (*item.Rating < 1 || *item.Rating > 5) {
			t.Errorf("%+v", item)
		}
		add(r.tags, idOf(data), "x")
	})
}
