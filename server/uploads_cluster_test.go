package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"mekiki/embed"
	"mekiki/index"
	"mekiki/index/cluster"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects/objectstest"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/export"
	"mekiki/index/indextest"
	"mekiki/index/ingest"
	"mekiki/internal/clustertest"
	"mekiki/search"
)

// clusterServers are two servers of one library on a cluster.
type clusterServers struct {
	*testing.T
	store     *objectstest.Memory
	servers   [2]*uploadServer
	libraries [2]*cluster.Library
	temporary string
}

func startClusterServers(t *testing.T) *clusterServers {
	t.Helper()
	s := &clusterServers{T: t, store: objectstest.New(), temporary: t.TempDir()}
	addresses := clustertest.StartWeaviate(t, 1).Addresses()
	for i := range s.servers {
		client, err := engine.Open(engine.Options{Addresses: addresses})
		indextest.Must(t, err)
		options := cluster.Options{Store: s.store, Engine: client, Name: "Uploads", Shards: 1, Replicas: 1, Quantisation: engine.RQ, Representatives: 4}
		indextest.Must(t, cluster.Init(t.Context(), options))
		library, err := cluster.Open(t.Context(), options)
		indextest.Must(t, err)
		s.libraries[i] = library
		t.Cleanup(func() { indextest.Must(t, library.Close()) })
		indextest.Must(t, library.AddSpace(t.Context(), colourEngine{}.Space()))
		searcher, err := search.New(library, colourEngine{}, search.Options{})
		indextest.Must(t, err)
		served, err := New(Options{
			Searcher: searcher, Library: library, LibraryFolder: t.TempDir(), Ingester: IngesterOf(library, colourEngine{}, 0), UploadKeeper: uploaded.Keeper{Store: s.store}, TemporaryFolder: s.temporary,
			Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
			Limits: Limits{Searches: 32, SearchQueue: 256, Uploads: 64},
		})
		indextest.Must(t, err)
		s.servers[i] = &uploadServer{TB: t, http: httptest.NewServer(served.Handler())}
		t.Cleanup(s.servers[i].http.Close)
	}
	return s
}

// objects lists the files of uploads in the store.
func (s *clusterServers) objects() (keys []string) {
	for info, err := range s.store.List(s.Context(), form.OriginalPrefix) {
		indextest.Must(s.T, err)
		keys = append(keys, info.Key)
	}
	return keys
}

// TestUploadsOfServersOnACluster: what one server takes the others have, whole and with what was said of it; removing it removes
// its file.
func TestUploadsOfServersOnACluster(t *testing.T) {
	s := startClusterServers(t)
	one, other := s.servers[0], s.servers[1]
	data := newPicture(rand.New(rand.NewPCG(1, 1)))
	status, record := one.upload(t.Context(), "beach.png", data, `{"tags":["sea"],"folder":"Holiday"}`)
	if status != http.StatusCreated || record.Name != "Holiday/beach.png" || fmt.Sprint(record.Tags) != "[sea]" || len(record.Paths) != 1 || !strings.HasPrefix(record.Paths[0], "upload:/") {
		t.Fatalf("status %d, %+v", status, record)
	}
	for _, server := range s.servers {
		if err := server.checkOriginal(record.ID, data); err != nil {
			t.Error(err)
		}
		if status, jpeg := server.ask(t.Context(), http.MethodGet, "/api/v1/records/"+record.ID+"/thumbnail", "", nil); status != http.StatusOK || len(jpeg) == 0 {
			t.Errorf("thumbnail: status %d", status)
		}
	}
	if status, again := other.upload(t.Context(), "copy.png", data, ""); status != http.StatusOK || again.ID != record.ID || len(s.objects()) != 1 {
		t.Errorf("again: status %d, record %s, objects %v", status, again.ID, s.objects())
	}
	if status, _ := one.ask(t.Context(), http.MethodDelete, "/api/v1/records/"+record.ID, "", nil); status != http.StatusNoContent {
		t.Errorf("trash: status %d", status)
	}
	if status, back := other.upload(t.Context(), "beach.png", data, ""); status != http.StatusOK || back.ID != record.ID || back.Given != nil && back.Given.Trashed != nil {
		t.Errorf("back from the trash: status %d, %+v", status, back)
	}
	if status, _ := other.upload(t.Context(), "none.png", []byte("no picture"), ""); status/100 != 4 || len(s.objects()) != 1 {
		t.Errorf("no picture: status %d, objects %v", status, s.objects())
	}
	if status, _ := other.ask(t.Context(), http.MethodDelete, "/api/v1/records/"+record.ID+"?permanent=true", "", nil); status != http.StatusNoContent || len(s.objects()) != 0 {
		t.Errorf("removed: status %d, objects %v", status, s.objects())
	}
	if one.checkOriginal(record.ID, data) == nil {
		t.Error("the file is there still")
	}
	if left, err := os.ReadDir(s.temporary); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

// secondEngine is another model than colourEngine.
type secondEngine struct{ colourEngine }

func (secondEngine) Space() embed.Space {
	space := colourEngine{}.Space()
	space.Fingerprint = "second"
	return space
}

// TestSecondModelReadsUploads: a second model reads pictures that have no file but an upload, and what is no longer in the
// store costs only itself.
func TestSecondModelReadsUploads(t *testing.T) {
	s := startClusterServers(t)
	random := rand.New(rand.NewPCG(1, 3))
	for i := range 3 {
		if status, record := s.servers[0].upload(t.Context(), fmt.Sprintf("%d.png", i), newPicture(random), ""); status != http.StatusCreated {
			t.Fatalf("status %d: %s", status, record.Text)
		}
	}
	indextest.Must(t, s.store.Delete(t.Context(), s.objects()[0]))
	summary, err := ingest.Fill(t.Context(), s.libraries[1], secondEngine{}, ingest.Options{Logger: slog.New(slog.DiscardHandler)})
	if indextest.Must(t, err); summary.Added != 2 || len(summary.Failures) != 1 {
		t.Errorf("%+v", summary)
	}
	reader, err := s.libraries[1].Reader(t.Context())
	indextest.Must(t, err)
	defer reader.Close()
	records, _, err := reader.List(t.Context(), index.Filter{Kinds: []index.Kind{index.KindImage}}, index.Page{})
	indextest.Must(t, err)
	have, err := reader.HaveParts(t.Context(), secondEngine{}.Space(), index.IDs(records))
	if indextest.Must(t, err); len(records) != 3 || len(slices.DeleteFunc(have, func(has bool) bool { return !has })) != 2 {
		t.Errorf("%d pictures, of the second model %v", len(records), have)
	}
}

// TestUploadsBesideFolders: of a picture that was uploaded and lies in an indexed folder too, the upload stays when the folder's
// file becomes another picture, and when it is deleted; and it is exported.
func TestUploadsBesideFolders(t *testing.T) {
	s := startClusterServers(t)
	random := rand.New(rand.NewPCG(1, 2))
	data, folder := newPicture(random), t.TempDir()
	file := filepath.Join(folder, "a.png")
	run := func() {
		t.Helper()
		summary, err := IngesterOf(s.libraries[0], colourEngine{}, 0).Ingest(t.Context(), ingest.Options{Paths: []string{folder}})
		if indextest.Must(t, err); len(summary.Failures) > 0 {
			t.Fatal(summary.Failures)
		}
	}
	indextest.Must(t, os.WriteFile(file, data, 0o600))
	status, record := s.servers[0].upload(t.Context(), "a.png", data, "")
	if status != http.StatusCreated {
		t.Fatalf("status %d: %s", status, record.Text)
	}
	run()
	check := func(when string, paths int) {
		t.Helper()
		for _, server := range s.servers {
			if err := server.checkOriginal(record.ID, data); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
		reader, err := s.libraries[1].Reader(t.Context())
		indextest.Must(t, err)
		defer reader.Close()
		var lines bytes.Buffer
		indextest.Must(t, export.Export(t.Context(), reader, &lines, index.ExportOptions{Vectors: true}))
		found := false
		for line := range strings.Lines(lines.String()) {
			var exported struct {
				ID    index.ID
				Hash  string
				Paths []string
				Parts [][]float32
			}
			indextest.Must(t, json.Unmarshal([]byte(line), &exported))
			if exported.ID.String() != record.ID {
				continue
			}
			uploads := slices.ContainsFunc(exported.Paths, func(path string) bool { _, is := uploaded.KeyOf(path); return is })
			found = uploads && len(exported.Paths) == paths && len(exported.Parts) > 0 && exported.Hash == fmt.Sprintf("%x", sha256.Sum256(data))
		}
		if !found {
			t.Errorf("%s: record %s, exported: %s", when, record.ID, lines.String())
		}
	}
	check("in both", 2)
	indextest.Must(t, os.WriteFile(file, newPicture(random), 0o600))
	run()
	check("the file is another", 1)
	indextest.Must(t, os.Remove(file))
	run()
	check("no file", 1)
}

// TestUploadsOfServersAtOnce: two servers take and delete the same pictures at the same time. What was acknowledged and not
// deleted has its file, and one only. Files of which a server did not come to tell the record may be left over, until a check.
func TestUploadsOfServersAtOnce(t *testing.T) {
	s := startClusterServers(t)
	const pictures, requests = 30, 4
	var all sync.WaitGroup
	turns := make(chan struct{}, 4)
	for i := range pictures {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			random := rand.New(rand.NewPCG(uint64(i), 7))
			data, deletes := newPicture(random), i%2 == 1
			var group sync.WaitGroup
			for request := range requests {
				server, deletesThis := s.servers[request%2], deletes && request == random.IntN(requests)
				group.Go(func() {
					status, record := server.upload(context.Background(), "picture.png", data, "")
					if status != http.StatusOK && status != http.StatusCreated && !deletes {
						t.Errorf("picture %d: status %d: %s", i, status, record.Text)
					}
					if deletesThis && record.ID != "" {
						server.ask(context.Background(), http.MethodDelete, "/api/v1/records/"+record.ID+"?permanent=true", "", nil)
					}
				})
			}
			group.Wait()
			status, record := s.servers[0].upload(context.Background(), "picture.png", data, "") // whatever became of it
			if status != http.StatusOK && status != http.StatusCreated {
				t.Errorf("picture %d, at last: status %d: %s", i, status, record.Text)
				return
			}
			if err := s.servers[1].checkOriginal(record.ID, data); err != nil {
				t.Errorf("picture %d: %v", i, err)
			}
		})
	}
	all.Wait()
	named := map[string]bool{}
	for info, err := range s.store.List(t.Context(), form.RecordPrefix) {
		indextest.Must(t, err)
		encoded, err := s.store.Get(t.Context(), info.Key)
		indextest.Must(t, err)
		record, err := form.Decode(encoded)
		indextest.Must(t, err)
		for _, key := range uploaded.KeysOf(&record.Record) {
			named[key] = true
		}
	}
	left := 0
	for _, key := range s.objects() {
		if !named[key] {
			left++
		}
	}
	if t.Logf("%d files of %d pictures, %d left over", len(named), pictures, left); left > pictures {
		t.Errorf("%d files are left over", left)
	}
	if len(named) != pictures {
		t.Errorf("%d files for %d pictures", len(named), pictures)
	}
}
