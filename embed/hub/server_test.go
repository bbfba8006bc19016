package hub

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const testCommit = "0123456789abcdef0123456789abcdef01234567"

// testServer plays the Hugging Face hub, Google's storage and any other server.
type testServer struct {
	*httptest.Server
	mutex sync.Mutex
	// files maps paths to contents.
	files map[string][]byte
	// tags overrides the entity tag of a path.
	tags map[string]string
	// before may answer a request itself, by returning true.
	before func(w http.ResponseWriter, r *http.Request) bool
	// requests lists "METHOD path range".
	requests []string
	// sent counts the bytes of bodies by path.
	sent map[string]int64
	// hashes is unset for a server that publishes none.
	hashes bool
}

func newServer(t *testing.T) *testServer {
	t.Helper()
	server := &testServer{files: map[string][]byte{}, tags: map[string]string{}, sent: map[string]int64{}, hashes: true}
	server.Server = httptest.NewServer(http.HandlerFunc(server.serve))
	t.Cleanup(server.Close)
	return server
}

// content returns a file; it may be changed by put at any time.
func (s *testServer) content(path string) ([]byte, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	data, ok := s.files[path]
	return data, ok
}

func (s *testServer) put(path string, data []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.files[path] = data
}

func (s *testServer) log() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]string(nil), s.requests...)
}

func (s *testServer) sentBytes(path string) int64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.sent[path]
}

// countingWriter counts the bytes of a body.
type countingWriter struct {
	http.ResponseWriter
	server *testServer
	path   string
}

func (w *countingWriter) Write(data []byte) (int, error) {
	count, err := w.ResponseWriter.Write(data)
	w.server.mutex.Lock()
	w.server.sent[w.path] += int64(count)
	w.server.mutex.Unlock()
	return count, err
}

func (s *testServer) serve(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	s.requests = append(s.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
	before := s.before
	s.mutex.Unlock()
	if before != nil && before(w, r) {
		return
	}
	data, ok := s.content(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		s.mutex.Lock()
		tag, own := s.tags[r.URL.Path]
		s.mutex.Unlock()
		if !own {
			tag = `"` + md5Text(data) + `"`
		}
		w.Header().Set("ETag", tag)
		if s.hashes {
			w.Header().Add("X-Goog-Hash", "crc32c=AAAAAA==")
			w.Header().Add("X-Goog-Hash", "md5="+md5Text(data))
		}
	}
	http.ServeContent(&countingWriter{w, s, r.URL.Path}, r, "", time.Time{}, bytes.NewReader(data))
}

func md5Text(data []byte) string {
	sum := md5.Sum(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func sha256Text(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func gitText(data []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...))
	return hex.EncodeToString(sum[:])
}

// putRepository makes the server offer a Hugging Face repository. Files over 1 kB are large ones.
func (s *testServer) putRepository(t *testing.T, repository string, files map[string][]byte) {
	t.Helper()
	type large struct {
		Digest string `json:"sha256"`
		Size   int    `json:"size"`
	}
	type entry struct {
		Name   string `json:"rfilename"`
		Size   int    `json:"size"`
		BlobID string `json:"blobId"`
		Large  *large `json:"lfs,omitempty"`
	}
	entries := []entry{{Name: ".gitattributes", Size: 10}, {Name: "onnx/model.onnx", Size: 10}, {Name: "README.md", Size: 10}}
	for name, data := range files {
		described := entry{Name: name, Size: len(data), BlobID: gitText(data)}
		if len(data) > 1000 {
			described.Large = &large{Digest: sha256Text(data), Size: len(data)}
		}
		entries = append(entries, described)
		s.put("/"+repository+"/resolve/"+testCommit+"/"+name, data)
	}
	listing, err := json.Marshal(map[string]any{"sha": testCommit, "siblings": entries, "private": false})
	if err != nil {
		t.Fatal(err)
	}
	s.put("/api/models/"+repository+"/revision/main", listing)
}

// environment points everything at the server.
func (s *testServer) environment() *Environment {
	return &Environment{Endpoint: s.URL, LavisEndpoint: s.URL + "/lavis"}
}

// testOptions are quick.
func testOptions(t *testing.T, environment *Environment) Options {
	t.Helper()
	return Options{
		Dir: t.TempDir(), Environment: environment, ChunkBytes: 64 << 10, StallTimeout: 300 * time.Millisecond,
		Attempts: 4, Backoff: time.Millisecond, MaximumBackoff: 20 * time.Millisecond,
	}
}

func newClient(t *testing.T, options Options) *Client {
	t.Helper()
	client, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// randomBytes returns bytes that differ for every seed.
func randomBytes(seed uint64, count int) []byte {
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	data := make([]byte, count)
	_, _ = source.Read(data)
	return data
}

func wantFile(t *testing.T, path string, data []byte) {
	t.Helper()
	read, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read, data) {
		t.Errorf("%s has %d bytes that differ from the %d of the server", filepath.Base(path), len(read), len(data))
	}
}

// wantNoRemains fails if partial files or temporary ones lie in a folder.
func wantNoRemains(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.Contains(entry.Name(), partSuffix) || strings.HasSuffix(entry.Name(), ".new") {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}
