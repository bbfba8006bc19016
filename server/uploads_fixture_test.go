package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"mekiki/index"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/index/originals"
	"mekiki/internal/vfs"
	"mekiki/search"
	"mekiki/server/servertest"
	"mekiki/server/wire"
)

// uploadServer is a server over a library on disk.
type uploadServer struct {
	testing.TB
	folder, uploads string
	library         *local.Library
	engine          colourEngine
	limits          Limits
	disk            vfs.FS // of the library; nil means the operating system's
	http            *httptest.Server
}

func startUploads(t testing.TB, engine colourEngine, edit ...func(*Limits)) *uploadServer {
	t.Helper()
	limits := Limits{Searches: 32, SearchQueue: 256, Uploads: 64}
	for _, change := range edit {
		change(&limits)
	}
	folder := filepath.Join(t.TempDir(), "library")
	s := &uploadServer{TB: t, folder: folder, uploads: originals.FolderOf(folder), engine: engine, limits: limits}
	s.open()
	t.Cleanup(s.close)
	return s
}

// open opens the library and serves it as "mekiki serve" does.
func (s *uploadServer) open() {
	s.Helper()
	s.library = servertest.Open(s, s.folder, s.disk)
	if _, err := originals.Sweep(context.Background(), s.library, s.uploads, slog.New(slog.DiscardHandler)); err != nil {
		s.Fatal(err)
	}
	s.serve()
}

func (s *uploadServer) serve() {
	s.Helper()
	searcher, err := search.New(s.library, s.engine, search.Options{})
	if err != nil {
		s.Fatal(err)
	}
	served, err := New(Options{
		Searcher: searcher, Library: s.library, LibraryFolder: s.folder,
		Ingester: IngesterOf(s.library, s.engine, 0), UploadFolder: s.uploads,
		Ready:  func(context.Context) error { return s.library.Present() },
		Limits: s.limits,
	})
	if err != nil {
		s.Fatal(err)
	}
	s.http = httptest.NewServer(served.Handler())
	s.http.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 64
}

func (s *uploadServer) close() {
	if s.http == nil {
		return
	}
	s.http.Close()
	s.http = nil
	if err := s.library.Close(); err != nil {
		s.Errorf("close the library: %v", err)
	}
}

// upload sends a picture and gives the status, or 0 when the request was broken
// off, and the record.
func (s *uploadServer) upload(ctx context.Context, name string, data []byte, details string) (int, wire.Record) {
	s.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", name)
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil && details != "" {
		err = form.WriteField("request", details)
	}
	if err != nil || form.Close() != nil {
		s.Fatal(err)
	}
	status, answer := s.ask(ctx, http.MethodPost, "/api/v1/records", form.FormDataContentType(), &body)
	var record wire.Record
	if status == http.StatusOK || status == http.StatusCreated {
		if err := json.Unmarshal(answer, &record); err != nil {
			return 0, record // broken off within the answer
		}
	} else if status != 0 {
		record.Text = string(answer)
	}
	return status, record
}

func (s *uploadServer) ask(ctx context.Context, method, path, kind string, body io.Reader) (int, []byte) {
	s.Helper()
	request, err := http.NewRequestWithContext(ctx, method, s.http.URL+path, body)
	if err != nil {
		s.Fatal(err)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := s.http.Client().Do(request)
	if err != nil {
		if ctx.Err() == nil {
			s.Errorf("%s %s: %v", method, path, err)
		}
		return 0, nil
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil && ctx.Err() != nil {
		return 0, nil
	}
	return response.StatusCode, answer
}

// record gives the record with some content, or nil.
func (s *uploadServer) record(data []byte) *index.Record {
	snapshot := s.library.Snapshot()
	defer snapshot.Close()
	record, _ := indextest.RecordByHash(s, snapshot, sha256.Sum256(data))
	return record
}

// checkOriginal asks for the original over HTTP.
func (s *uploadServer) checkOriginal(id string, data []byte) error {
	status, got := s.ask(context.Background(), http.MethodGet, "/api/v1/records/"+id+"/original", "", nil)
	if status != http.StatusOK || !bytes.Equal(got, data) {
		return fmt.Errorf("the original of record %s: status %d, %d bytes of %d", id, status, len(got), len(data))
	}
	return nil
}

// orphans lists what lies in the folder of uploads and is no record's.
func (s *uploadServer) orphans() (orphans []string) {
	snapshot := s.library.Snapshot()
	defer snapshot.Close()
	err := filepath.WalkDir(s.uploads, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if _, named := indextest.RecordByPath(s, snapshot, path); !named {
			orphans = append(orphans, path)
		}
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		s.Error(err)
	}
	return orphans
}

// newPicture is a picture that nobody has seen before.
func newPicture(random *rand.Rand) []byte {
	canvas := image.NewRGBA(image.Rect(0, 0, 24, 16))
	for at := range canvas.Pix {
		canvas.Pix[at] = uint8(random.IntN(256))
	}
	canvas.Set(0, 0, color.RGBA{A: 255})
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, canvas); err != nil {
		panic(err)
	}
	return buffer.Bytes()
}
