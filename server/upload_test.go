package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search/contract"
	"mekiki/server/problem"
)

func TestSearchRequests(t *testing.T) {
	f := start(t)
	f.expect(f.get("/api/v1/search?q=cats+-dogs&limit=7&offset=3&fusion=rrf&weight=0.25&rerank_ms=250&rerank_count=9&sort=date_ascending&show=all&minimum_probability=0.5&explain=true&folder=/a&folder=/b&after=2024-01-01&near=35.5,139.5,2.5&kind=image"), 200, "")
	got := f.searcher.lastRequest()
	weight := 0.25
	if got.Text != "cats -dogs" || got.Limit != 7 || got.Offset != 3 || got.Fusion != contract.FusionReciprocalRank || *got.Weight != weight ||
		got.RerankBudget != 250*time.Millisecond || got.RerankCount != 9 || got.Sort != contract.SortDateAscending || got.Show != contract.ShowAll || got.MinimumProbability != 0.5 || !got.Explain {
		t.Errorf("request %+v", got)
	}
	if filter := got.Filter; len(filter.Folders) != 2 || filter.After.Year() != 2024 || filter.Near == nil || filter.Near.Kilometres != 2.5 || len(filter.Kinds) != 1 {
		t.Errorf("filter %+v", filter)
	}
	f.expect(f.json("POST", "/api/v1/search", `{"text":"x","rerank_ms":0,"filter":{"ids":["1","2"],"near":{"latitude":1,"longitude":2,"kilometres":3}}}`), 200, "")
	if got := f.searcher.lastRequest(); got.RerankBudget >= 0 || len(got.Filter.IDs) != 2 || got.Filter.Near.Longitude != 2 || got.Limit != 0 {
		t.Errorf("request %+v", got)
	}
	f.expect(f.form("/api/v1/search", map[string]string{"image": string(jpegOf(30, 20)), "request": `{"crop":{"x":0.5,"y":0,"width":0.5,"height":1}}`}), 200, "")
	if got := f.searcher.lastRequest(); got.Image == nil || got.Image.Width != 30 || got.Crop == nil || got.Crop.X != 0.5 {
		t.Errorf("request %+v", got)
	}
	f.expect(f.get("/api/v1/search"), 400, problem.Code(contract.CodeEmptyRequest))
	f.expect(f.get("/api/v1/search?record=99999999999999999999"), 400, problem.InvalidRequest)
	f.expect(f.form("/api/v1/search", map[string]string{"image": string(jpegOf(3, 3)), "request": `{"record":"1"}`}), 400, problem.InvalidRequest)
}

func TestSearchErrorsKeepTheirPlace(t *testing.T) {
	f := start(t)
	f.searcher.before = func(context.Context) error {
		return &contract.Error{Code: contract.CodeUnbalancedQuote, Message: "the quote is never closed", Remedy: "close it", Position: &contract.Position{Offset: 4, Length: 1}, Err: fmt.Errorf("secret /path")}
	}
	got := f.expect(f.get("/api/v1/search?q=two+%22cats"), 400, problem.Code(contract.CodeUnbalancedQuote))
	if got.text(t, "position.offset") != "4" || got.text(t, "hint") != "close it" || strings.Contains(string(got.body), "secret") || got.text(t, "instance") != got.Header.Get("X-Request-ID") {
		t.Errorf("problem %s", got.body)
	}
	f.searcher.before = func(context.Context) error {
		return &contract.Error{Code: contract.CodeUnknownFilter, Message: "there is no filter <b>:", Field: "text"}
	}
	got = f.expect(f.get("/api/v1/search?q=%3Cb%3E:x"), 400, problem.Code(contract.CodeUnknownFilter))
	if got.text(t, "errors.0.field") != "q" || !strings.Contains(string(got.body), "<b>") {
		t.Errorf("problem %s", got.body)
	}
	got = f.expect(f.json("POST", "/api/v1/search", `{"text":"<b>:x"}`), 400, problem.Code(contract.CodeUnknownFilter))
	if got.text(t, "errors.0.field") != "text" {
		t.Errorf("problem %s", got.body)
	}
	f.searcher.before = func(context.Context) error { return fmt.Errorf("open /home/somebody/secret: permission denied") }
	got = f.expect(f.get("/api/v1/search?q=x"), 500, problem.Internal)
	if strings.Contains(string(got.body), "somebody") || got.at(t, "detail") != nil {
		t.Errorf("an unknown error shows: %s", got.body)
	}
	f.searcher.before = func(context.Context) error { panic("oh no /secret") }
	got = f.expect(f.get("/api/v1/search?q=x"), 500, problem.Internal)
	if strings.Contains(string(got.body), "secret") {
		t.Errorf("a panic shows: %s", got.body)
	}
}

func TestUploadsThatAreNoImages(t *testing.T) {
	f := start(t, func(o *Options) { o.Limits.UploadBytes = 1 << 20; o.Limits.UploadPixels = 1_000_000 })
	picture := jpegOf(200, 100)
	tests := map[string]struct {
		image  string
		status int
		code   problem.Code
	}{
		"text":             {"hello", 422, problem.InvalidImage},
		"html":             {"<html><script>", 422, problem.InvalidImage},
		"cut short":        {string(picture[:200]), 422, problem.InvalidImage},
		"only a signature": {"\xff\xd8\xff", 422, problem.InvalidImage},
		"too many pixels":  {string(pngHeader(60000, 60000)), 413, problem.ImageTooLarge},
		"overflow":         {string(pngHeader(1<<31-1, 1<<31-1)), 413, problem.ImageTooLarge},
		"gif bomb":         {"GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02\x4c\x01\x00;", 413, problem.ImageTooLarge},
		"empty":            {"", 400, problem.InvalidRequest},
		"too many bytes":   {strings.Repeat("x", 1<<20+1), 413, problem.BodyTooLarge},
	}
	for name, test := range tests {
		for _, path := range []string{"/api/v1/search", "/api/v1/similar", "/api/v1/lookup", "/api/v1/records"} {
			t.Run(name+path, func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				got := f.form(path, map[string]string{"image": test.image})
				runtime.ReadMemStats(&after)
				if got.StatusCode != test.status && !(got.StatusCode == 413 && test.status == 422) {
					t.Errorf("status %d: %s", got.StatusCode, got.body)
				}
				if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
					t.Errorf("took %d MiB", grown>>20)
				}
			})
		}
	}
	if left, err := filepath.Glob(f.server.options.UploadFolder + "/*/*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// pngHeader is a PNG that claims a size and has no pixels.
func pngHeader(width, height uint32) []byte {
	data := binary.BigEndian.AppendUint32(nil, width)
	data = binary.BigEndian.AppendUint32(data, height)
	chunk := append([]byte("IHDR"), append(data, 8, 2, 0, 0, 0)...)
	file := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
	file = append(file, chunk...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk))
}

func TestMalformedForms(t *testing.T) {
	f := start(t)
	good := "--B\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n" + string(jpegOf(4, 4)) + "\r\n--B--\r\n"
	tests := map[string]struct {
		kind, body string
		status     int
	}{
		"good":           {"multipart/form-data; boundary=B", good, 200},
		"no boundary":    {"multipart/form-data", good, 400},
		"other boundary": {"multipart/form-data; boundary=C", good, 400},
		"empty":          {"multipart/form-data; boundary=B", "", 400},
		"never ends":     {"multipart/form-data; boundary=B", good[:len(good)-8], 400},
		"no name":        {"multipart/form-data; boundary=B", "--B\r\n\r\nx\r\n--B--\r\n", 400},
		"unknown part":   {"multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\nhttp://169.254.169.254/\r\n--B--\r\n", 400},
		"image twice":    {"multipart/form-data; boundary=B", good[:len(good)-7] + good, 400},
		"bad JSON":       {"multipart/form-data; boundary=B", "--B\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{\r\n--B--\r\n", 400},
		"headers only":   {"multipart/form-data; boundary=B", "--B\r\n" + strings.Repeat("X: y\r\n", 20000), 400},
		"no type":        {"", good, 415},
		"urlencoded":     {"application/x-www-form-urlencoded", "image=x", 415},
		"plain JSON":     {"text/plain", "{}", 415},
		"broken type":    {"multipart/form-data; boundary", good, 415},
		"xml":            {"application/xml", "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", 415},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := f.send(f.request("POST", "/api/v1/search", strings.NewReader(test.body), header("Content-Type", test.kind)))
			f.expect(got, test.status, "")
		})
	}
	for name, body := range map[string]string{
		"two values": `{"text":"x"}{"text":"y"}`, "deep": strings.Repeat(`{"filter":`, 20000), "nothing": "", "list": "[]", "null": "null", "number": "1e400", "invalid UTF-8": "{\"te\xff\":1}",
		"huge number": `{"limit":1e999999999}`, "fraction": `{"limit":1.5}`, "null member": `{"limit":null}`,
	} {
		t.Run(name, func(t *testing.T) {
			f.expect(f.json("POST", "/api/v1/search", body), 400, problem.InvalidRequest)
		})
	}
	f.expect(f.json("POST", "/api/v1/search", `{"text":"`+strings.Repeat("x", 2<<20)+`"}`), 413, problem.BodyTooLarge)
	// Without a length, what arrives decides.
	endless := io.MultiReader(strings.NewReader(`{"text":"`), io.LimitReader(zeros{}, 8<<20))
	got := f.send(f.request("POST", "/api/v1/search", endless, header("Content-Type", "application/json")))
	f.expect(got, 413, problem.BodyTooLarge)
}

type zeros struct{}

func (zeros) Read(data []byte) (int, error) {
	for i := range data {
		data[i] = 'x'
	}
	return len(data), nil
}

// TestCompressedBodies: nobody can make the server unpack anything.
func TestCompressedBodies(t *testing.T) {
	f := start(t)
	var bomb bytes.Buffer
	writer := gzip.NewWriter(&bomb)
	if _, err := io.CopyN(writer, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"application/json", "multipart/form-data; boundary=B"} {
		got := f.send(f.request("POST", "/api/v1/search", bytes.NewReader(bomb.Bytes()), header("Content-Type", kind), header("Content-Encoding", "gzip")))
		f.expect(got, 415, problem.UnsupportedMediaType)
	}
	f.expect(f.json("POST", "/api/v1/search", `{"text":"x"}`, header("Content-Encoding", "identity")), 200, "")
}

// TestPicturesThatUnpackToMuch: a small file may be a large picture, of as many pixels as are allowed; what it takes is
// bounded by them.
func TestPicturesThatUnpackToMuch(t *testing.T) {
	const side = 2000
	f := start(t, func(o *Options) { o.Limits.UploadPixels = side * side })
	flat := func(width, height int) string {
		var file bytes.Buffer
		if err := png.Encode(&file, image.NewRGBA(image.Rect(0, 0, width, height))); err != nil {
			t.Fatal(err)
		}
		return file.String()
	}
	allowed, beyond := flat(side, side), flat(side, side+1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f.expect(f.form("/api/v1/similar", map[string]string{"image": allowed}), 200, "")
	runtime.ReadMemStats(&after)
	perPixel := float64(after.TotalAlloc-before.TotalAlloc) / (side * side)
	t.Logf("%d bytes became %d pixels, %.1f bytes each", len(allowed), side*side, perPixel)
	if perPixel > 16 {
		t.Errorf("took %.1f bytes a pixel", perPixel)
	}
	f.expect(f.form("/api/v1/similar", map[string]string{"image": beyond}), 413, problem.ImageTooLarge)
}

func TestAddRecord(t *testing.T) {
	f := start(t)
	picture := jpegOf(50, 40)
	added := f.expect(f.form("/api/v1/records", map[string]string{"image": string(picture), "request": `{"tags":[" mine "]}`}), 201, "")
	id := added.text(t, "id")
	if added.Header.Get("Location") != "/api/v1/records/"+id || added.text(t, "tags") != "[mine]" {
		t.Errorf("answer %s, %v", added.body, added.Header)
	}
	path := added.text(t, "paths.0")
	if !strings.HasPrefix(path, f.server.options.UploadFolder+string(filepath.Separator)) || !bytes.Equal(readFile(t, path), picture) {
		t.Errorf("kept at %s", path)
	}
	again := f.expect(f.form("/api/v1/records", map[string]string{"image": string(picture)}), 200, "")
	if again.text(t, "id") != id {
		t.Errorf("the same image became %s and %s", id, again.text(t, "id"))
	}
	f.expect(f.send(f.request("DELETE", "/api/v1/records/"+id+"?permanent=true", nil)), 204, "")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the uploaded file is still there: %v", err)
	}
	f.expect(f.get("/api/v1/records/"+id), 404, problem.NotFound)
	// The user's own files stay.
	f.expect(f.send(f.request("DELETE", "/api/v1/records/1?permanent=true", nil)), 204, "")
	readFile(t, f.root+"/Picture 1.jpg")

	refusing := prepareWith(t, colourEngine{refuse: func(*pixels.Image) error { return fmt.Errorf("the picture is blank: %w", pixels.ErrCorrupt) }}).start()
	rejected := refusing.expect(refusing.form("/api/v1/records", map[string]string{"image": string(jpegOf(51, 40))}), 422, problem.InvalidImage)
	if !strings.Contains(rejected.text(t, "detail"), "the picture is blank") {
		t.Errorf("problem %s", rejected.body)
	}
	if left, err := filepath.Glob(refusing.server.options.UploadFolder + "/*/*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	none := start(t, func(o *Options) { o.UploadFolder = "" })
	none.expect(none.form("/api/v1/records", map[string]string{"image": string(picture)}), 501, problem.Unsupported)
}

func TestTags(t *testing.T) {
	f := start(t)
	got := f.expect(f.send(f.request("PUT", "/api/v1/records/1/tags/a%2Fb%20%C3%A9", nil)), 200, "")
	if got.text(t, "tags") != "[a/b é pet]" {
		t.Errorf("tags %s", got.text(t, "tags"))
	}
	got = f.expect(f.send(f.request("DELETE", "/api/v1/records/1/tags/a%2Fb%20%C3%A9", nil)), 200, "")
	if got.text(t, "tags") != "[pet]" {
		t.Errorf("tags %s", got.text(t, "tags"))
	}
	for _, bad := range []string{"%20", "%00", "%ff%fe", strings.Repeat("x", 257)} {
		f.expect(f.send(f.request("PUT", "/api/v1/records/1/tags/"+bad, nil)), 400, problem.InvalidRequest)
	}
	f.expect(f.send(f.request("PUT", "/api/v1/records/77/tags/x", nil)), 404, problem.NotFound)
	f.expect(f.json("POST", "/api/v1/tags", `{"ids":["1","77"],"add":["x"]}`), 404, problem.NotFound)
	if got := f.get("/api/v1/records/1"); got.text(t, "tags") != "[pet]" {
		t.Errorf("a refused change left %s", got.text(t, "tags"))
	}
}

func TestListing(t *testing.T) {
	f := start(t)
	for i := range 7 {
		f.put(index.Record{Kind: index.KindImage, Hash: index.Hash{100, byte(i)}})
	}
	var ids []string
	next := ""
	for page := 0; page == 0 || next != ""; page++ {
		got := f.expect(f.get("/api/v1/records?sort=added_ascending&limit=4&cursor="+next), 200, "")
		for _, record := range got.at(t, "records").([]any) {
			ids = append(ids, record.(map[string]any)["id"].(string))
		}
		next, _ = got.at(t, "next").(string)
		if page > 5 {
			t.Fatal("the pages do not end")
		}
	}
	if fmt.Sprint(ids) != "[1 2 3 4 5 6 7 8 9 10]" {
		t.Errorf("ids %v", ids)
	}
	empty := f.expect(f.get("/api/v1/records?limit=0&facets=true"), 200, "")
	if empty.text(t, "total") != "10" || empty.text(t, "records") != "[]" || empty.text(t, "facets.tags.0.value") != "pet" {
		t.Errorf("answer %s", empty.body)
	}
	for _, cursor := range []string{"!!", "MQ", "MTo1", "MjoyMDA", "Mjo4OjE6MTox"} { // 1, 1:5, 2:200, 2:8:1:1:1
		f.expect(f.get("/api/v1/records?cursor="+cursor), 400, problem.InvalidRequest)
	}
	if got := f.get("/api/v1/texts"); got.text(t, "total") != "1" || got.text(t, "records.0.external_id") != "sku-1" {
		t.Errorf("texts %s", got.body)
	}
	failures := f.expect(f.get("/api/v1/failures?limit=1&offset=1"), 200, "")
	if failures.text(t, "failures.0.path") != "/pictures/worse.jpg" || failures.at(t, "next") != nil {
		t.Errorf("failures %s", failures.body)
	}
}

func TestParametersAreChecked(t *testing.T) {
	f := start(t)
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=201": "limit", "limit=x": "limit", "limit=": "limit", "limit=1&limit=2": "limit", "colour=red": "colour", "sort=random": "sort",
		"near=1,2": "near", "near=95,0,1": "near", "near=1,2,0": "near", "after=soon": "after", "crop=1,2,3": "crop", "explain=maybe": "explain",
		"q=" + strings.Repeat("x", 2001): "q", "record=0": "record", "record=../1": "record", "weight=1.5": "weight", "weight=NaN": "weight", "offset=-1": "offset", "kind=video": "kind[0]",
	} {
		got := f.expect(f.get("/api/v1/search?"+query), 400, problem.InvalidRequest)
		if found := got.text(t, "errors.0.field"); found != field {
			t.Errorf("%s: field %s", query, found)
		}
	}
	f.expect(f.get("/api/v1/search?q=%zz"), 400, problem.InvalidRequest)
	f.expect(f.get("/api/v1/search?q=a;b"), 400, problem.InvalidRequest)
	f.expect(f.get("/api/v1/records/abc"), 400, problem.InvalidRequest)
	f.expect(f.get("/api/v1/records/18446744073709551616"), 400, problem.InvalidRequest)
	f.expect(f.get("/api/v1/records/18446744073709551615"), 400, problem.InvalidRequest)
	f.expect(f.get("/api/v1/records/9999999999999999999"), 404, problem.NotFound)
}

func TestWithoutParts(t *testing.T) {
	f := start(t, func(o *Options) {
		o.Ingester, o.Models, o.Roots, o.UploadFolder, o.Page = nil, nil, nil, "", nil
	})
	f.expect(f.json("POST", "/api/v1/texts", `{"texts":[{"text":"x"}]}`), 501, problem.Unsupported)
	f.expect(f.json("POST", "/api/v1/jobs", `{}`), 501, problem.Unsupported)
	f.expect(f.get("/"), 404, problem.NotFound)
	f.expect(f.get("/api/v1/models"), 200, "")
	if got := f.expect(f.get("/api/v1/status"), 200, ""); got.text(t, "uploads") != "false" || got.text(t, "indexing") != "false" {
		t.Errorf("status %s", got.body)
	}
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "Searcher") || !strings.Contains(err.Error(), "Library") {
		t.Errorf("empty options: %v", err)
	}
}

func TestRequestIdentity(t *testing.T) {
	f := start(t)
	if got := f.get("/healthz", header("X-Request-ID", "trace-0001")).Header.Get("X-Request-ID"); got != "trace-0001" {
		t.Errorf("identity %q", got)
	}
	for _, bad := range []string{"short", "with space 1234", strings.Repeat("x", 65), "né-1234567"} {
		if got := f.get("/healthz", header("X-Request-ID", bad)).Header.Get("X-Request-ID"); got == bad || len(got) != 16 {
			t.Errorf("%q became %q", bad, got)
		}
	}
	if response := f.get("/nothing.html"); response.Header.Get("X-Request-ID") != response.text(t, "instance") {
		t.Error("the problem does not name its request")
	}
}
