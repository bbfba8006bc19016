package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/internal/vfs"
	"mekiki/server/problem"
)

func TestOriginals(t *testing.T) {
	f := start(t)
	file := readFile(t, f.root+"/Picture 1.jpg")
	got := f.expect(f.get("/api/v1/records/1/original"), 200, "")
	if !bytes.Equal(got.body, file) || got.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%d bytes of %s", len(got.body), got.Header.Get("Content-Type"))
	}
	if disposition := got.Header.Get("Content-Disposition"); disposition != `inline; filename="Picture 1.jpg"` {
		t.Errorf("disposition %s", disposition)
	}
	tag := got.Header.Get("ETag")
	part := f.expect(f.get("/api/v1/records/1/original", header("Range", "bytes=10-19")), 206, "")
	if !bytes.Equal(part.body, file[10:20]) {
		t.Errorf("range is %x", part.body)
	}
	last := f.expect(f.get("/api/v1/records/1/original", header("Range", "bytes=-5"), header("If-Range", tag)), 206, "")
	if !bytes.Equal(last.body, file[len(file)-5:]) {
		t.Errorf("last bytes are %x", last.body)
	}
	whole := f.expect(f.get("/api/v1/records/1/original", header("Range", "bytes=-5"), header("If-Range", `"other"`)), 200, "")
	if !bytes.Equal(whole.body, file) {
		t.Error("a changed file should come whole")
	}
	beyond := f.expect(f.get("/api/v1/records/1/original", header("Range", "bytes=99999-")), 416, problem.RangeNotSatisfiable)
	if beyond.Header.Get("Content-Range") == "" || beyond.Header.Get("ETag") != "" {
		t.Errorf("headers %v", beyond.Header)
	}
	f.expect(f.get("/api/v1/records/1/original", header("If-Match", `"other"`)), 412, problem.PreconditionFailed)
	f.expect(f.get("/api/v1/records/1/original", header("If-None-Match", tag)), 304, "")
	head := f.expect(f.send(f.request("HEAD", "/api/v1/records/1/original", nil)), 200, "")
	if head.ContentLength != int64(len(file)) || len(head.body) != 0 {
		t.Errorf("HEAD says %d bytes and sends %d", head.ContentLength, len(head.body))
	}

	if err := os.Remove(f.root + "/Picture 1.jpg"); err != nil {
		t.Fatal(err)
	}
	f.expect(f.get("/api/v1/records/1/original"), 404, problem.NotFound)
	f.expect(f.get("/api/v1/records/3/original"), 404, problem.NotFound)
	f.expect(f.get("/api/v1/records/3/thumbnail"), 404, problem.NotFound)
	f.expect(f.get("/api/v1/records/999/thumbnail"), 404, problem.NotFound)
}

// TestOriginalsThatBrowsersMightRun: a format that is no plain picture is never
// shown, whatever it holds.
func TestOriginalsThatBrowsersMightRun(t *testing.T) {
	f := start(t)
	for i, format := range []string{"svg", "heic", "html", "", "tiff"} {
		path := f.root + "/x." + format
		if err := os.WriteFile(path, []byte("<script>alert(1)</script>"), 0o600); err != nil {
			t.Fatal(err)
		}
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		id := f.put(index.Record{
			Kind: index.KindImage, Format: format, Hash: index.Hash{byte(i + 1)}, Bytes: stat.Size(),
			Files: []index.File{{Path: path, Bytes: stat.Size(), Modified: stat.ModTime(), Inode: vfs.Inode(stat)}},
		})
		got := f.expect(f.get("/api/v1/records/"+id.String()+"/original"), 200, "")
		if got.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(got.Header.Get("Content-Disposition"), "attachment") ||
			got.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(got.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%q: %v", format, got.Header)
		}
	}
}

func TestThumbnails(t *testing.T) {
	f := start(t)
	got := f.expect(f.get("/api/v1/records/1/thumbnail"), 200, "")
	if got.Header.Get("Content-Type") != "image/jpeg" || !strings.Contains(got.Header.Get("Cache-Control"), "no-cache") || !strings.Contains(got.Header.Get("Cache-Control"), "private") {
		t.Errorf("headers %v", got.Header)
	}
	f.expect(f.get("/api/v1/records/1/thumbnail", header("If-None-Match", `"x", W/`+got.Header.Get("ETag"))), 304, "")
}

// TestPathTricks asks for files in every way that has worked somewhere; nothing
// but the page, a problem or nothing may come.
func TestPathTricks(t *testing.T) {
	f := start(t)
	secret := f.root + "/../secret.txt"
	if err := os.WriteFile(secret, []byte("TOPSECRET root:x:0:0"), 0o600); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, address := range pathTricks(secret) {
		count++
		request, err := http.NewRequest("GET", f.base+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.URL.Opaque = "//" + request.URL.Host + address
		response, err := f.client.Do(request)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Error(err)
		}
		if bytes.Contains(body, []byte("root:x:")) || bytes.Contains(body, []byte("not a kind of file")) || response.StatusCode >= 500 {
			t.Errorf("%s: status %d, %.80q", address, response.StatusCode, body)
		}
		if response.StatusCode == 200 && !bytes.Contains(body, []byte("<title>Mekiki")) {
			t.Errorf("%s: answered with %.80q", address, body)
		}
	}
	if count < 200 {
		t.Errorf("only %d tricks", count)
	}
	t.Logf("%d tricks", count)
}

func pathTricks(secret string) []string {
	var addresses []string
	prefixes := []string{
		"/", "/js/", "/api/v1/records/", "/api/v1/records/1/", "/api/v1/records/1/original/", "/api/v1/records/1/thumbnail/", "/api/docs/", "/%2e/", "//", "/~0/", "/static/..;/",
	}
	targets := []string{
		"../../../../../../etc/passwd", "..%2f..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd", "..%252f..%252fetc/passwd", "....//....//etc/passwd",
		"..%5c..%5c..%5cetc%5cpasswd", "..\\..\\etc\\passwd", "%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd", "/etc/passwd", "%2fetc%2fpasswd", "file:///etc/passwd", "etc/passwd%00.jpg",
		"..;/..;/etc/passwd", ".%2e/.%2e/etc/passwd", "%uff0e%uff0e/etc/passwd", "secret.key", "./secret.key", "js/../secret.key", "..%2fsecret.txt", url.PathEscape(secret),
	}
	for _, prefix := range prefixes {
		for _, target := range targets {
			addresses = append(addresses, prefix+strings.ReplaceAll(target, "\\", "%5c"))
		}
	}
	return addresses
}

func TestPage(t *testing.T) {
	f := start(t)
	home := f.expect(f.get("/"), 200, "")
	if home.Header.Get("Cache-Control") != "no-cache" || !strings.HasPrefix(home.Header.Get("Content-Type"), "text/html") {
		t.Errorf("headers %v", home.Header)
	}
	for path, status := range map[string]int{"/search": 200, "/library": 200, "/trash/": 200, "/record/12": 404, "/deep/er/still": 404, "/LIBRARY": 404} {
		if got := f.get(path); got.StatusCode != status || !bytes.Equal(got.body, home.body) || got.Header.Get("Content-Type") != home.Header.Get("Content-Type") {
			t.Errorf("%s: %d, %v: %.100s", path, got.StatusCode, got.Header, got.body)
		}
		if got := f.send(f.request("HEAD", path, nil)); got.StatusCode != status {
			t.Errorf("HEAD %s: %d", path, got.StatusCode)
		}
	}
	_, after, found := bytes.Cut(home.body, []byte(`src="/~`))
	name, _, _ := bytes.Cut(after, []byte(`"`))
	if !found || !bytes.HasSuffix(name, []byte("/js/app.js")) {
		t.Fatalf("the page's addresses have no version: %s", home.body)
	}
	script := f.expect(f.get("/~"+string(name)), 200, "")
	if !strings.Contains(script.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(script.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("headers %v", script.Header)
	}
	if plain := f.expect(f.get("/js/app.js"), 200, ""); strings.Contains(plain.Header.Get("Cache-Control"), "immutable") {
		t.Error("an address without a version must not be kept")
	}
	f.expect(f.get("/js/app.js", header("If-None-Match", script.Header.Get("ETag"))), 304, "")
	f.expect(f.get("/~000000000000/js/app.js"), 404, problem.NotFound)
	f.expect(f.get("/js/missing.js"), 404, problem.NotFound)
	f.expect(f.get("/secret.key"), 404, problem.NotFound)
	f.expect(f.get("/api/v2/search"), 404, problem.NotFound)
	f.expect(f.get("/api"), 404, problem.NotFound)
	f.expect(f.send(f.request("POST", "/", nil)), 405, problem.MethodNotAllowed)
	f.expect(f.send(f.request("PUT", "/api/v1/records/1", nil)), 405, problem.MethodNotAllowed)
	f.expect(f.get("/api/docs"), 200, "")
	f.expect(f.get("/api/docs/document.js"), 200, "")
	f.expect(f.get("/api/docs/document.css"), 200, "")
}

func TestCompression(t *testing.T) {
	f := start(t)
	plain := f.get("/api/v1/openapi.json")
	zipped := f.get("/api/v1/openapi.json", header("Accept-Encoding", "br, gzip;q=0.8"))
	if zipped.Header.Get("Content-Encoding") != "gzip" || zipped.Header.Get("Vary") != "Accept-Encoding" || len(zipped.body)*3 > len(plain.body) {
		t.Fatalf("%d of %d bytes, %v", len(zipped.body), len(plain.body), zipped.Header)
	}
	reader, err := gzip.NewReader(bytes.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(reader); err != nil || !bytes.Equal(data, plain.body) {
		t.Errorf("unzipped differs: %v", err)
	}
	f.expect(f.get("/api/v1/openapi.json", header("Accept-Encoding", "gzip"), header("If-None-Match", zipped.Header.Get("ETag"))), 304, "")
	for path, encoding := range map[string]string{
		"/api/v1/records/1/original": "gzip", "/api/v1/records/1/thumbnail": "gzip", "/healthz": "gzip", "/api/v1/openapi.json": "gzip;q=0", "/api/v1/session": "identity",
	} {
		if got := f.get(path, header("Accept-Encoding", encoding)); got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", path)
		}
	}
}
