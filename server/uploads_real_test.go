package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index/content"
	"mekiki/index/indextest"
	"mekiki/index/ingest"
	"mekiki/internal/testsize"
)

// interleavingsVariable sets how many interleavings TestUploadInterleavings tries.
const interleavingsVariable = "MEKIKI_TEST_UPLOADS"

// tried is what came of one picture.
type tried struct {
	data            []byte
	acknowledged    int // uploads
	deleted, broken int
}

// TestUploadInterleavings sends each of many pictures several times at once, whole
// and broken off, while others delete it. In the end every upload that was
// acknowledged, and not deleted, has its original, and no file is left over.
func TestUploadInterleavings(t *testing.T) {
	count := 300
	if testing.Short() {
		count = 100
	}
	count = testsize.Of(t, interleavingsVariable, count)
	s := startUploads(t, slowEngine(3*time.Millisecond))
	all := s.interleaveMany(count)
	s.judge(all)
	for _, one := range all {
		if one.acknowledged > 0 && one.broken > 0 && one.deleted > 0 {
			return
		}
	}
	t.Error("the interleavings were none")
}

// slowEngine takes up to a while for each image.
func slowEngine(most time.Duration) colourEngine {
	return colourEngine{refuse: func(*pixels.Image) error {
		time.Sleep(rand.N(most))
		return nil
	}}
}

// TestUploadsThatTimeOut does the same with a server that has little time for
// each.
func TestUploadsThatTimeOut(t *testing.T) {
	s := startUploads(t, slowEngine(30*time.Millisecond), func(l *Limits) { l.SearchTime = 40 * time.Millisecond })
	s.judge(s.interleaveMany(60))
}

// interleaveMany does count interleavings, several at once, and waits until every
// request is over.
func (s *uploadServer) interleaveMany(count int) []tried {
	all := make([]tried, count)
	var group sync.WaitGroup
	turns := make(chan struct{}, 8)
	for i := range all {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			all[i] = s.interleave(rand.New(rand.NewPCG(uint64(i), 12)))
		})
	}
	group.Wait()
	s.http.Close()
	s.limits.SearchTime = 0
	s.serve()
	return all
}

// interleave does several things about one picture at the same time.
func (s *uploadServer) interleave(random *rand.Rand) tried {
	result := tried{data: newPicture(random)}
	var mutex sync.Mutex
	var group sync.WaitGroup
	for range 2 + random.IntN(3) {
		aborts, deletes := random.IntN(3) == 0, random.IntN(4) == 0
		after := time.Duration(random.IntN(20_000)) * time.Microsecond
		group.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if aborts {
				defer time.AfterFunc(after, cancel).Stop()
			}
			status, record := s.upload(ctx, "picture.png", result.data, "")
			deleted := 0
			if deletes && status != 0 && record.ID != "" {
				deleted, _ = s.ask(context.Background(), http.MethodDelete, "/api/v1/records/"+record.ID+"?permanent=true", "", nil)
			}
			mutex.Lock()
			defer mutex.Unlock()
			switch status {
			case http.StatusOK, http.StatusCreated:
				result.acknowledged++
			case 0, http.StatusServiceUnavailable:
				result.broken++
			default:
				s.Errorf("an upload gives %d: %s", status, record.Text)
			}
			if deleted == http.StatusNoContent {
				result.deleted++
			} else if deleted != 0 && deleted != http.StatusNotFound {
				s.Errorf("deleting gives %d", deleted)
			}
		})
	}
	group.Wait()
	return result
}

// judge counts what was lost.
func (s *uploadServer) judge(all []tried) {
	s.Helper()
	var uploads, broken, deleted, lost, left int
	for i, one := range all {
		uploads, broken, deleted = uploads+one.acknowledged, broken+one.broken, deleted+one.deleted
		record := s.record(one.data)
		if record == nil {
			if one.acknowledged > 0 && one.deleted == 0 {
				lost++
				s.Errorf("picture %d: %d uploads were acknowledged, and there is no record", i, one.acknowledged)
			}
			continue
		}
		if err := s.checkOriginal(record.ID.String(), one.data); err != nil {
			lost++
			s.Errorf("picture %d: %v", i, err)
		}
	}
	orphans := s.orphans()
	if left = len(orphans); left > 0 {
		s.Errorf("%d files that no record names, such as %s", left, orphans[0])
	}
	s.Logf("%d interleavings: %d uploads acknowledged, %d broken off, %d deletions; %d originals lost, %d files left over",
		len(all), uploads, broken, deleted, lost, left)
}

// TestUploadHeals uploads pictures again whose originals were lost, changed or
// touched.
func TestUploadHeals(t *testing.T) {
	s := startUploads(t, colourEngine{})
	ctx, random := context.Background(), rand.New(rand.NewPCG(1, 1))
	damages := map[string]func(path string) error{
		"removed": os.Remove,
		"touched": func(path string) error { return os.Chtimes(path, time.Now(), time.Unix(1, 0)) },
		"cut":     func(path string) error { return os.Truncate(path, 10) },
		"changed": func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), 500), 0o600) },
		"a link": func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Symlink(filepath.Join(s.folder, "writer.json"), path)
		},
		"its folder removed": func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			data := newPicture(random)
			status, first := s.upload(ctx, "a.png", data, "")
			if status != http.StatusCreated {
				t.Fatalf("status %d", status)
			}
			if err := damage(first.Paths[0]); err != nil {
				t.Fatal(err)
			}
			if status, again := s.upload(ctx, "a.png", data, ""); status != http.StatusOK || again.ID != first.ID || again.Name != "a.png" {
				t.Errorf("uploading again gives %d, %+v", status, again)
			}
			if err := s.checkOriginal(first.ID, data); err != nil {
				t.Error(err)
			}
			file, err := content.OpenFile(s.record(data), s.record(data).Files[0])
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			stat, err := file.Stat()
			if err != nil || !stat.ModTime().Equal(s.record(data).Files[0].Modified) {
				t.Errorf("the record's stamp is not the file's: %v", err)
			}
		})
	}
	if orphans := s.orphans(); len(orphans) > 0 {
		t.Errorf("left over: %v", orphans)
	}
}

// TestUploadOfAnIndexedPicture keeps no second file while the user's own is there,
// and keeps one when it is gone.
func TestUploadOfAnIndexedPicture(t *testing.T) {
	s := startUploads(t, colourEngine{})
	ctx, data := context.Background(), newPicture(rand.New(rand.NewPCG(3, 3)))
	own := filepath.Join(t.TempDir(), "own.png")
	if err := os.WriteFile(own, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := IngesterOf(s.library, s.engine, 0).Ingest(ctx, ingest.Options{Paths: []string{own}}); err != nil {
		t.Fatal(err)
	}
	if status, record := s.upload(ctx, "a.png", data, ""); status != http.StatusOK || len(record.Paths) != 1 {
		t.Errorf("status %d, %+v", status, record)
	}
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	status, record := s.upload(ctx, "a.png", data, "")
	if status != http.StatusOK || len(record.Paths) != 2 || record.Name != "a.png" {
		t.Errorf("status %d, %+v", status, record)
	}
	if err := s.checkOriginal(record.ID, data); err != nil {
		t.Error(err)
	}
	// Deleting takes the kept file and leaves what is the user's.
	if err := os.WriteFile(own, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.ask(ctx, http.MethodDelete, "/api/v1/records/"+record.ID+"?permanent=true", "", nil); status != http.StatusNoContent {
		t.Errorf("deleting gives %d", status)
	}
	if _, err := os.Stat(own); err != nil || len(s.orphans()) > 0 {
		t.Errorf("the user's file: %v; left over: %v", err, s.orphans())
	}
}

// TestUploadThatTheModelRefuses leaves no file and no failure, and can be sent
// again.
func TestUploadThatTheModelRefuses(t *testing.T) {
	var refusing atomic.Bool
	s := startUploads(t, colourEngine{refuse: func(*pixels.Image) error {
		if refusing.Load() {
			return errors.New("refused")
		}
		return nil
	}})
	data := newPicture(rand.New(rand.NewPCG(7, 7)))
	refusing.Store(true)
	if status, answer := s.upload(context.Background(), "a.png", data, ""); status != http.StatusUnprocessableEntity {
		t.Errorf("status %d: %s", status, answer.Text)
	}
	snapshot := s.library.Snapshot()
	defer snapshot.Close()
	if failures, orphans := indextest.Failures(t, snapshot), s.orphans(); len(failures) > 0 || len(orphans) > 0 {
		t.Errorf("failures %v, left over %v", failures, orphans)
	}
	refusing.Store(false)
	status, record := s.upload(context.Background(), "a.png", data, "")
	if status != http.StatusCreated {
		t.Errorf("status %d", status)
	}
	// A record can be deleted though its original is missing.
	if err := os.Remove(record.Paths[0]); err != nil {
		t.Fatal(err)
	}
	if status, answer := s.ask(context.Background(), http.MethodDelete, "/api/v1/records/"+record.ID+"?permanent=true", "", nil); status != http.StatusNoContent || s.record(data) != nil {
		t.Errorf("deleting gives %d: %s", status, answer)
	}
}

// TestUploadNames sends names and folders of all kinds.
func TestUploadNames(t *testing.T) {
	s := startUploads(t, colourEngine{})
	random := rand.New(rand.NewPCG(4, 4))
	long := strings.Repeat("x", 300)
	tests := []struct{ file, folder, name string }{
		{"IMG_1.jpg", "", "IMG_1.jpg"},
		{"IMG_1.jpg", "Holiday 2024", "Holiday 2024/IMG_1.jpg"},
		{"../../etc/passwd", "/Holiday/./Beach//", "Holiday/Beach/passwd"},
		{`C:\fakepath\Sommer é.png`, `Urlaub\Meer`, "Urlaub/Meer/Sommer é.png"},
		{"a\u202egpj.exe", "", "agpj.exe"},
		{"..", "", ""},
		{long + ".jpeg", "", long[:250] + ".jpeg"},
	}
	for _, test := range tests {
		folder, err := json.Marshal(map[string]string{"folder": test.folder})
		if err != nil {
			t.Fatal(err)
		}
		status, record := s.upload(context.Background(), test.file, newPicture(random), string(folder))
		if status != http.StatusCreated || record.Name != test.name {
			t.Errorf("%q in %q: status %d, name %q, want %q", test.file, test.folder, status, record.Name, test.name)
		}
	}
	for _, folder := range []string{"..", "a/../../b", `a\..`} {
		body, err := json.Marshal(map[string]string{"folder": folder})
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := s.upload(context.Background(), "a.png", newPicture(random), string(body)); status != http.StatusBadRequest {
			t.Errorf("the folder %q gives %d", folder, status)
		}
	}
	data := newPicture(random)
	_, record := s.upload(context.Background(), "first.png", data, `{"folder":"One"}`)
	if status, again := s.upload(context.Background(), "second.png", data, `{"folder":"Two"}`); status != http.StatusOK || again.Name != "One/first.png" {
		t.Errorf("the second upload gives %d, %q", status, again.Name)
	}
	response, err := s.http.Client().Get(s.http.URL + "/api/v1/records/" + record.ID + "/original?download=true")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Disposition"); got != "attachment; filename=first.png" {
		t.Errorf("disposition %s", got)
	}
	status, listed := s.ask(context.Background(), http.MethodGet, "/api/v1/records?folder=One", "", nil)
	if status != http.StatusOK || !bytes.Contains(listed, []byte(`"total":1`)) {
		t.Errorf("the folder's records: %d %s", status, listed)
	}
}

// TestLibraryGoneUnderTheServer moves the library away while it is served.
func TestLibraryGoneUnderTheServer(t *testing.T) {
	s := startUploads(t, colourEngine{})
	ctx, random := context.Background(), rand.New(rand.NewPCG(5, 5))
	data := newPicture(random)
	_, record := s.upload(ctx, "a.png", data, "")
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	writes := func(want int) {
		t.Helper()
		if status, answer := s.upload(ctx, "b.png", newPicture(random), ""); status/100*100 != want {
			t.Errorf("an upload gives %d: %s", status, answer.Text)
		}
		if status, answer := s.ask(ctx, http.MethodPut, "/api/v1/records/"+record.ID+"/tags/x", "", nil); status/100*100 != want {
			t.Errorf("a tag gives %d: %s", status, answer)
		} else if want == 500 && !bytes.Contains(answer, []byte("moved")) {
			t.Errorf("no reason is said: %s", answer)
		}
		if status, answer := s.ask(ctx, http.MethodPost, "/api/v1/texts", "application/json", strings.NewReader(`{"texts":[{"text":"a cat"}]}`)); status/100*100 != want {
			t.Errorf("a text gives %d: %s", status, answer)
		}
		if status, _ := s.ask(ctx, http.MethodGet, "/readyz", "", nil); status/100*100 != want {
			t.Errorf("readyz gives %d", status)
		}
	}
	move(s.folder, s.folder+"-away")
	writes(500)
	s.ask(ctx, http.MethodGet, "/api/v1/records/"+record.ID+"/thumbnail", "", nil)
	if status, _ := s.ask(ctx, http.MethodDelete, "/api/v1/records/"+record.ID+"?permanent=true", "", nil); status != http.StatusServiceUnavailable {
		t.Errorf("deleting gives %d", status)
	}
	if _, err := os.Lstat(s.folder); !os.IsNotExist(err) {
		t.Errorf("there is something at the old place: %v", err)
	}
	if err := s.checkOriginal(record.ID, data); err != nil {
		t.Error(err)
	}
	move(s.folder+"-away", s.folder)
	writes(200)
	move(s.uploads, s.uploads+"-away")
	if status, _ := s.upload(ctx, "c.png", newPicture(random), ""); status != http.StatusServiceUnavailable {
		t.Errorf("an upload without its folder gives %d", status)
	}
	if _, err := os.Lstat(s.uploads); !os.IsNotExist(err) {
		t.Errorf("the folder of uploads was made again: %v", err)
	}
	move(s.uploads+"-away", s.uploads)
	writes(200)
	if orphans := s.orphans(); len(orphans) > 0 {
		t.Errorf("left over: %v", orphans)
	}
}
