package server

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"net/http"
	"os"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"mekiki/index"
	"mekiki/internal/vfs"
	"mekiki/server/problem"
)

// putFile puts a file that is a picture of some size into the library.
func (f *fixture) putFile(name, format string, data []byte, width, height int) string {
	f.Helper()
	path := f.root + "/" + name
	if err := os.WriteFile(path, data, 0o600); err != nil {
		f.Fatal(err)
	}
	stat, err := os.Stat(path)
	if err != nil {
		f.Fatal(err)
	}
	id := f.put(index.Record{
		Kind: index.KindImage, Format: format, Hash: index.Hash{byte(width), byte(height), 7}, Bytes: stat.Size(), Width: width, Height: height,
		Files: []index.File{{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}},
	})
	return "/api/v1/records/" + id.String()
}

func tiffOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := tiff.Encode(&file, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func sizeOf(t *testing.T, got answer) image.Point {
	t.Helper()
	shown, err := jpeg.DecodeConfig(bytes.NewReader(got.body))
	if err != nil || got.Header.Get("Content-Type") != "image/jpeg" {
		t.Fatalf("%s: %v", got.Header.Get("Content-Type"), err)
	}
	return image.Pt(shown.Width, shown.Height)
}

// TestRenditions: a picture that no browser shows comes as a JPEG, which is kept for good only by its hash.
func TestRenditions(t *testing.T) {
	f := start(t)
	address := f.putFile("scan.tif", "tiff", tiffOf(t, 2400, 900), 2400, 900)
	got := f.expect(f.get(address+"/renditions/1600"), http.StatusOK, "")
	if size := sizeOf(t, got); size != image.Pt(1600, 600) {
		t.Errorf("%v", size)
	}
	if caching := got.Header.Get("Cache-Control"); caching != "private, no-cache" {
		t.Errorf("caching %q", caching)
	}
	var record struct{ Rendition, Tiles string }
	if err := json.Unmarshal(f.get(address).body, &record); err != nil {
		t.Fatal(err)
	}
	kept := f.expect(f.get(record.Rendition), http.StatusOK, "")
	if caching := kept.Header.Get("Cache-Control"); !strings.Contains(caching, "immutable") || !strings.Contains(caching, "private") {
		t.Errorf("caching %q of %s", caching, record.Rendition)
	}
	other := f.expect(f.get(address+"/renditions/1600?hash="+strings.Repeat("0", 64)), http.StatusOK, "")
	if strings.Contains(other.Header.Get("Cache-Control"), "immutable") {
		t.Error("a picture is kept for good under another's hash")
	}
	f.expect(f.get(address+"/renditions/1600", header("If-None-Match", got.Header.Get("ETag"))), http.StatusNotModified, "")
	head := f.expect(f.send(f.request(http.MethodHead, address+"/renditions/1600", nil)), http.StatusOK, "")
	if head.ContentLength != int64(len(got.body)) || len(head.body) > 0 {
		t.Errorf("HEAD says %d bytes and sends %d", head.ContentLength, len(head.body))
	}

	var tiles struct {
		Width, Height, Tile int
		Levels              []struct{ Level, Width, Height, Columns, Rows int }
	}
	if err := json.Unmarshal(f.expect(f.get(record.Tiles), http.StatusOK, "").body, &tiles); err != nil {
		t.Fatal(err)
	}
	if tiles.Width != 2400 || tiles.Tile != 512 || len(tiles.Levels) != 4 || tiles.Levels[3].Columns != 1 {
		t.Errorf("%+v", tiles)
	}
	corner := f.expect(f.get(address+"/tiles/0/4/1?hash="+strings.Repeat("0", 64)), http.StatusOK, "")
	if size := sizeOf(t, corner); size != image.Pt(2400-4*512, 900-512) {
		t.Errorf("%v", size)
	}
	f.expect(f.get(address+"/tiles/0/4/1", header("If-None-Match", corner.Header.Get("ETag"))), http.StatusNotModified, "")
	f.expect(f.get(address+"/tiles/0/0/0", header("If-None-Match", corner.Header.Get("ETag"))), http.StatusOK, "")
}

func TestRenditionProblems(t *testing.T) {
	f := start(t)
	broken := f.putFile("broken.tif", "tiff", tiffOf(t, 600, 500)[:2000], 600, 500)
	gone := f.putFile("gone.tif", "tiff", tiffOf(t, 700, 500), 700, 500)
	if err := os.Remove(f.root + "/gone.tif"); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]struct {
		status int
		code   problem.Code
	}{
		broken + "/renditions/1600":              {http.StatusUnprocessableEntity, problem.InvalidImage},
		broken + "/tiles/0/0/0":                  {http.StatusUnprocessableEntity, problem.InvalidImage},
		gone + "/renditions/1600":                {http.StatusNotFound, problem.NotFound},
		gone + "/tiles/1/0/0":                    {http.StatusNotFound, problem.NotFound},
		gone + "/tiles/0/2/0":                    {http.StatusNotFound, problem.NotFound},
		gone + "/tiles/9/0/0":                    {http.StatusNotFound, problem.NotFound},
		gone + "/tiles/0/-1/0":                   {http.StatusBadRequest, problem.InvalidRequest},
		gone + "/tiles/0/00/0":                   {http.StatusBadRequest, problem.InvalidRequest},
		gone + "/tiles/0/9999999999999999999/0":  {http.StatusBadRequest, problem.InvalidRequest},
		gone + "/renditions/1601":                {http.StatusBadRequest, problem.InvalidRequest},
		gone + "/renditions/1600?hash=x":         {http.StatusBadRequest, problem.InvalidRequest},
		"/api/v1/records/3/renditions/1600":      {http.StatusNotFound, problem.NotFound},
		"/api/v1/records/3/tiles":                {http.StatusNotFound, problem.NotFound},
		"/api/v1/records/77/renditions/1600":     {http.StatusNotFound, problem.NotFound},
		"/api/v1/records/x/tiles/0/0/0":          {http.StatusBadRequest, problem.InvalidRequest},
		"/api/v1/layout?sort=width":              {http.StatusBadRequest, problem.InvalidRequest},
		"/api/v1/layout?limit=5":                 {http.StatusBadRequest, problem.InvalidRequest},
		"/api/v1/layout?after=yesterday-ish-not": {http.StatusBadRequest, problem.InvalidRequest},
	} {
		f.expect(f.get(address), want.status, want.code)
	}
}

// TestLayout: the answer has what the list of records has, without fetching them.
func TestLayout(t *testing.T) {
	f := start(t)
	f.putFile("panorama.tif", "tiff", tiffOf(t, 600, 90), 600, 90)
	for _, parameters := range []string{"", "?sort=date_ascending", "?sort=added_descending&format=tiff", "?tag=pet", "?kind=text", "?folder=/nowhere"} {
		var layout struct {
			Sequence uint64
			IDs      []string
			Ratios   []int
			Days     []*int
		}
		got := f.expect(f.get("/api/v1/layout"+parameters), http.StatusOK, "")
		if err := json.Unmarshal(got.body, &layout); err != nil {
			t.Fatal(err)
		}
		separator := "?"
		if parameters != "" {
			separator = "&"
		}
		var list struct {
			Records []struct {
				ID, Kind      string
				Width, Height int
			}
		}
		if err := json.Unmarshal(f.get("/api/v1/records"+parameters+separator+"limit=500").body, &list); err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, record := range list.Records {
			if record.Kind != "image" {
				continue
			}
			ratio := 1000
			if record.Height > 0 {
				ratio = (1000*record.Width + record.Height/2) / record.Height
			}
			if at >= len(layout.IDs) || layout.IDs[at] != record.ID || layout.Ratios[at] != ratio || layout.Days[at] == nil {
				t.Fatalf("%s: %+v, expected record %+v at %d", parameters, layout, record, at)
			}
			at++
		}
		if at != len(layout.IDs) || at != len(layout.Ratios) || at != len(layout.Days) || layout.Sequence == 0 {
			t.Errorf("%s: %+v", parameters, layout)
		}
		f.expect(f.get("/api/v1/layout"+parameters, header("If-None-Match", got.Header.Get("ETag"))), http.StatusNotModified, "")
	}
}

// TestLayoutTakesTheFiltersOfLists: whatever limits a list of records limits a layout.
func TestLayoutTakesTheFiltersOfLists(t *testing.T) {
	document := prepare(t).document
	takes := map[string]bool{"limit": true, "cursor": true, "facets": true, "id": true} // lists alone do
	for _, parameter := range document.Operation(http.MethodGet, "/api/v1/layout").Parameters {
		takes[parameter.Name] = true
	}
	for _, parameter := range document.Operation(http.MethodGet, "/api/v1/records").Parameters {
		if !takes[parameter.Name] {
			t.Errorf("the layout does not take %s", parameter.Name)
		}
	}
}

// TestListOfIDs: a page fetches what it shows of a layout.
func TestListOfIDs(t *testing.T) {
	f := start(t)
	var list struct {
		Total   int
		Records []struct{ ID string }
	}
	if err := json.Unmarshal(f.expect(f.get("/api/v1/records?id=2&id=3&id=77&kind=image"), http.StatusOK, "").body, &list); err != nil {
		t.Fatal(err)
	}
	if list.Total != 1 || len(list.Records) != 1 || list.Records[0].ID != "2" {
		t.Errorf("%+v", list)
	}
	f.expect(f.get("/api/v1/records?id=0"), http.StatusBadRequest, problem.InvalidRequest)
	f.expect(f.get("/api/v1/records?id=99999999999999999999999"), http.StatusBadRequest, problem.InvalidRequest)
}
