package ort

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/internal/hint"
)

// member is where test archives hold their library.
const member = "onnxruntime-test/lib/library.so"

// content is what stands for a library: bytes that do not compress to nothing.
func content(size int) []byte {
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i * i >> 3)
	}
	return body
}

func tarball(t *testing.T, name string, body []byte) []byte {
	t.Helper()
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	writer := tar.NewWriter(zipped)
	for _, entry := range []struct {
		name string
		body []byte
	}{{"./README", []byte("read me")}, {"./" + name, body}} {
		header := &tar.Header{Name: entry.name, Mode: 0o755, Size: int64(len(entry.body)), Typeflag: tar.TypeReg}
		if err := errors.Join(writer.WriteHeader(header), second(writer.Write(entry.body))); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(writer.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func second[T any](_ T, err error) error { return err }

func zipArchive(t *testing.T, name string, body []byte) []byte {
	t.Helper()
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	file, err := writer.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(second(file.Write(body)), writer.Close()); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// serve answers with handler and returns options that install from it, without npm.
func serve(t *testing.T, archive []byte, suffix string, handler http.HandlerFunc) Options {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("PATH", t.TempDir())
	sum := sha256.Sum256(archive)
	return Options{
		CacheDir: filepath.Join(t.TempDir(), "runtime"),
		releases: &table{
			npm: npmPackage{name: "onnxruntime-node", version: Version},
			platforms: map[string]release{runtime.GOOS + "/" + runtime.GOARCH: {
				address: server.URL + "/archive" + suffix, sha256: hex.EncodeToString(sum[:]),
				member: member, file: "library.so", npmMember: member,
			}},
		},
	}
}

func writes(body []byte) http.HandlerFunc {
	return func(writer http.ResponseWriter, _ *http.Request) { _, _ = writer.Write(body) }
}

func TestInstallFromTheRelease(t *testing.T) {
	body := content(3 << 20)
	for suffix, archive := range map[string][]byte{".tgz": tarball(t, member, body), ".zip": zipArchive(t, member, body)} {
		t.Run(suffix, func(t *testing.T) {
			var requests atomic.Int32
			options := serve(t, archive, suffix, func(writer http.ResponseWriter, request *http.Request) {
				requests.Add(1)
				writes(archive)(writer, request)
			})
			var stages []Stage
			options.Progress = func(progress Progress) {
				if len(stages) == 0 || stages[len(stages)-1] != progress.Stage {
					stages = append(stages, progress.Stage)
				}
				if progress.Total > 0 && progress.Done > progress.Total {
					t.Errorf("progress %+v exceeds its total", progress)
				}
			}
			path, err := Install(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got, body) {
				t.Fatalf("installed %d bytes, %v; want %d", len(got), err, len(body))
			}
			if want := fmt.Sprint([]Stage{StageDownload, StageExtract, StageDone}); fmt.Sprint(stages) != want {
				t.Errorf("stages %v, want %s", stages, want)
			}
			again, err := Install(t.Context(), options)
			if err != nil || again != path || requests.Load() != 1 {
				t.Errorf("second Install: %s, %v after %d requests", again, err, requests.Load())
			}
			if _, err := Verify(options); err != nil {
				t.Errorf("Verify: %v", err)
			}
			onlyTheLibraryIsLeft(t, options)
		})
	}
}

// onlyTheLibraryIsLeft fails when an installation left anything behind.
func onlyTheLibraryIsLeft(t *testing.T, options Options) {
	t.Helper()
	entries, err := os.ReadDir(options.CacheDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != "install.lock" && entry.Name() != filepath.Base(options.folder()) {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}

func TestInstallRefuses(t *testing.T) {
	good := tarball(t, member, content(1<<20))
	huge := func() []byte {
		var archive bytes.Buffer
		zipped := gzip.NewWriter(&archive)
		_ = tar.NewWriter(zipped).WriteHeader(&tar.Header{Name: member, Size: maximumLibrary + 1, Typeflag: tar.TypeReg})
		_ = zipped.Close()
		return archive.Bytes()
	}()
	link := func() []byte {
		var archive bytes.Buffer
		zipped := gzip.NewWriter(&archive)
		writer := tar.NewWriter(zipped)
		_ = writer.WriteHeader(&tar.Header{Name: member, Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink})
		_ = errors.Join(writer.Close(), zipped.Close())
		return archive.Bytes()
	}()
	tests := []struct {
		name    string
		pinned  []byte // the archive whose hash is pinned
		handler http.HandlerFunc
		want    error
		says    string
	}{
		{"another archive", good, writes(tarball(t, member, content(1<<19))), ErrHash, "sha256 is"},
		{"not found", good, http.NotFound, nil, "404"},
		{"forbidden", good, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, nil, "403"},
		{"cut short", good, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			_, _ = w.Write(good[:len(good)/2])
		}, nil, "unexpected EOF"},
		{"stalls", good, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(good)))
			_, _ = w.Write(good[:10])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, errStalled, "stalled"},
		{"too large to be true", good, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(maximumArchive+1))
			w.WriteHeader(http.StatusOK)
		}, nil, "more than"},
		{"no library inside", tarball(t, "other", nil), writes(tarball(t, "other", nil)), errNoMember, member},
		{"library too large", huge, writes(huge), nil, "the library has"},
		{"library is a link", link, writes(link), errNoMember, member},
		{"no archive at all", []byte("<html>blocked by policy</html>"), writes([]byte("<html>blocked by policy</html>")), gzip.ErrHeader, "extract"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			options := serve(t, test.pinned, ".tgz", test.handler)
			options.stall = 50 * time.Millisecond
			_, err := Install(t.Context(), options)
			if !errors.Is(err, ErrNotInstalled) || (test.want != nil && !errors.Is(err, test.want)) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Install: %v\nwant %v saying %q", err, test.want, test.says)
			}
			if hint.Of(err) == "" {
				t.Error("the error has no hint")
			}
			if path, ok := installed(must(options.withDefaults())); ok {
				t.Errorf("%s counts as installed", path)
			}
			onlyTheLibraryIsLeft(t, options)
		})
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestInstallWithoutAServer(t *testing.T) {
	options := serve(t, nil, ".tgz", nil)
	row := must(options.releases.here())
	row.address = "http://127.0.0.1:1/archive.tgz"
	options.releases.platforms[runtime.GOOS+"/"+runtime.GOARCH] = row
	_, err := Install(t.Context(), options)
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "npm") {
		t.Errorf("Install: %v, want both ways to be named", err)
	}
}

func TestInstallOnAnUnknownPlatform(t *testing.T) {
	options := Options{CacheDir: t.TempDir(), releases: &table{}}
	_, err := Install(t.Context(), options)
	if !errors.Is(err, ErrUnsupportedPlatform) || hint.Of(err) == "" {
		t.Errorf("Install: %v, hint %q", err, hint.Of(err))
	}
}

func TestInstallStopsWithItsContext(t *testing.T) {
	archive := tarball(t, member, content(1<<20))
	ctx, cancel := context.WithCancel(t.Context())
	options := serve(t, archive, ".tgz", func(writer http.ResponseWriter, request *http.Request) {
		cancel()
		<-request.Context().Done()
	})
	if _, err := Install(ctx, options); !errors.Is(err, context.Canceled) {
		t.Errorf("Install: %v, want the context's error", err)
	}
	onlyTheLibraryIsLeft(t, options)
}

func TestInstallTakesTurns(t *testing.T) {
	archive := tarball(t, member, content(1<<20))
	var requests atomic.Int32
	options := serve(t, archive, ".tgz", func(writer http.ResponseWriter, request *http.Request) {
		requests.Add(1)
		time.Sleep(50 * time.Millisecond)
		writes(archive)(writer, request)
	})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := Install(t.Context(), options); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if requests.Load() != 1 {
		t.Errorf("%d downloads, want 1", requests.Load())
	}
}

func TestDamagedInstallation(t *testing.T) {
	archive := tarball(t, member, content(1<<20))
	options := serve(t, archive, ".tgz", writes(archive))
	path := must(Install(t.Context(), options))
	flipped := content(1 << 20)
	flipped[77] ^= 1
	if err := os.WriteFile(path, flipped, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(options); !errors.Is(err, ErrHash) {
		t.Errorf("Verify of a flipped bit: %v", err)
	}
	if err := os.WriteFile(path, flipped[:1000], 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(options); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("Verify of a cut library: %v", err)
	}
	must(Install(t.Context(), options))
	if _, err := Verify(options); err != nil {
		t.Errorf("Verify after the next Install: %v", err)
	}
}

// TestInstallThroughNPM has a program called npm bring the tarball, as the real
// one does where the releases are blocked.
func TestInstallThroughNPM(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	body := content(1 << 20)
	archive := tarball(t, member, body)
	library, pack := sha256.Sum256(body), sha512.Sum512(archive)
	tests := []struct {
		name   string
		script string
		edit   func(*table, *release)
		want   error
		says   string
	}{
		{name: "works", script: `cp "$ARCHIVE" "$4/package.tgz"`},
		{name: "fails", script: "echo npm error code E404 >&2; exit 1", want: ErrNotInstalled, says: "E404"},
		{name: "brings nothing", script: "true", want: ErrNotInstalled, says: "0 archives"},
		{name: "another tarball", script: `cp "$ARCHIVE" "$4/package.tgz"`, want: ErrHash, says: "sha512 is",
			edit: func(table *table, _ *release) { table.npm.sha512 = "other" }},
		{name: "another library", script: `cp "$ARCHIVE" "$4/package.tgz"`, want: ErrHash, says: "has sha256",
			edit: func(_ *table, row *release) { row.npmSHA256 = "other" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := os.Getenv("PATH")
			options := serve(t, nil, ".tgz", http.NotFound)
			row := must(options.releases.here())
			row.npmSHA256 = hex.EncodeToString(library[:])
			options.releases.npm.sha512 = base64.StdEncoding.EncodeToString(pack[:])
			if test.edit != nil {
				test.edit(options.releases, &row)
			}
			options.releases.platforms[runtime.GOOS+"/"+runtime.GOARCH] = row
			programs := t.TempDir()
			stored := filepath.Join(programs, "stored.tgz")
			if err := errors.Join(
				os.WriteFile(stored, archive, 0o644),
				os.WriteFile(filepath.Join(programs, "npm"), []byte("#!/bin/sh\nset -e\n"+test.script+"\n"), 0o755),
			); err != nil {
				t.Fatal(err)
			}
			t.Setenv("ARCHIVE", stored)
			t.Setenv("PATH", programs+string(os.PathListSeparator)+path)
			installedAt, err := Install(t.Context(), options)
			if !errors.Is(err, test.want) || (err != nil && !strings.Contains(err.Error(), test.says)) {
				t.Fatalf("Install: %v, want %v saying %q", err, test.want, test.says)
			}
			if test.want != nil {
				return
			}
			if got, err := os.ReadFile(installedAt); err != nil || !bytes.Equal(got, body) {
				t.Errorf("installed %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestPinnedTable(t *testing.T) {
	pins := pinned()
	for _, platform := range []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64", "windows/arm64"} {
		system, architecture, _ := strings.Cut(platform, "/")
		row, err := pins.platform(system, architecture)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, sum := range []string{row.sha256, row.npmSHA256} {
			if raw, err := hex.DecodeString(sum); err != nil || len(raw) != sha256.Size {
				t.Errorf("%s: hash %q", platform, sum)
			}
		}
		if !strings.HasPrefix(row.address, "https://github.com/microsoft/onnxruntime/releases/download/v"+Version+"/") {
			t.Errorf("%s: address %s", platform, row.address)
		}
		if !strings.Contains(row.address, "-"+Version+".") {
			t.Errorf("%s: row %+v", platform, row)
		}
	}
	if raw, err := base64.StdEncoding.DecodeString(pins.npm.sha512); err != nil || len(raw) != sha512.Size {
		t.Errorf("npm hash %q", pins.npm.sha512)
	}
}

func TestFind(t *testing.T) {
	library := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(library, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := Options{CacheDir: t.TempDir()}
	t.Run("option", func(t *testing.T) {
		t.Setenv(LibraryVariable, "/elsewhere")
		options := empty
		options.LibraryPath = library
		found, err := Find(options)
		if err != nil || len(found) != 1 || found[0] != (Candidate{library, "option"}) {
			t.Errorf("Find: %v, %v", found, err)
		}
	})
	t.Run("environment", func(t *testing.T) {
		t.Setenv(LibraryVariable, library)
		found, err := Find(empty)
		if err != nil || len(found) != 1 || found[0] != (Candidate{library, LibraryVariable}) {
			t.Errorf("Find: %v, %v", found, err)
		}
	})
	t.Run("environment names nothing", func(t *testing.T) {
		t.Setenv(LibraryVariable, library+"-not")
		if _, err := Find(empty); !errors.Is(err, ErrNotInstalled) || hint.Of(err) == "" {
			t.Errorf("Find: %v", err)
		}
	})
	t.Run("linker path", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("names and folders are Linux's")
		}
		t.Setenv("LD_LIBRARY_PATH", filepath.Dir(library))
		found, err := Find(empty)
		if err != nil || len(found) == 0 || found[0] != (Candidate{library, "system"}) {
			t.Errorf("Find: %v, %v", found, err)
		}
	})
}
