package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mekiki/embed/builtin"
	"mekiki/embed/ort/orttest"
)

// soakVariable names how long TestSoak goes on, such as 30m; without it the test
// is skipped. Its figures stand in docs/operations.md.
const soakVariable = "MEKIKI_SOAK"

// soak is a server in a process of its own, and what is done to it.
type soak struct {
	*testing.T
	address  string
	pictures string
	answered atomic.Int64
	refused  atomic.Int64
	indexed  atomic.Int64
}

// TestSoak serves a library from a process of its own and, for as long as the
// variable says, searches in every way while pictures come and go. Memory,
// goroutines and open files must not grow.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv(soakVariable))
	if err != nil {
		t.Skipf("set %s to a duration, such as 30m", soakVariable)
	}
	s := startSoak(t, orttest.Open(t).LibraryPath())
	s.index() // everything there is, before the figures count
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	idle := s.measure()
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() { s.searching(ctx) })
	}
	group.Go(func() { s.churning(ctx) })
	var samples []footprint
	for tick := time.Tick(length / 60); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-tick:
			samples = append(samples, s.measure())
			t.Logf("%s", samples[len(samples)-1])
		}
	}
	group.Wait()
	time.Sleep(25 * time.Second) // the server gives memory back within twenty
	after := s.measure()
	t.Logf("%d answers, %d refused, %d pictures indexed; idle before %s, after %s", s.answered.Load(), s.refused.Load(), s.indexed.Load(), idle, after)
	s.judge(samples, idle, after)
}

// footprint is what a process uses.
type footprint struct {
	at                time.Time
	resident, heap    int // MiB
	goroutines, files int
	indexed           int // pictures, since the beginning
}

func (u footprint) String() string {
	return fmt.Sprintf("%s resident %d MiB, heap %d MiB, %d goroutines, %d files", u.at.Format(time.TimeOnly), u.resident, u.heap, u.goroutines, u.files)
}

// tokenBytes is what the image tokens of one picture take in the searcher's
// memory, for the built-in model: 65 of 192 numbers. Those of pictures that are
// gone stay until the cache, of soakCache MiB, is full: 336 pictures.
const (
	tokenBytes = 65 * 192 * 4
	soakCache  = 16
)

// judge compares the least of the second third of the samples with that of the last: what is above it is mostly
// garbage, and vectors of pictures that are gone, which go when there are a thousand of them. Memory may grow
// by what the cache of tokens takes in meanwhile, until it is full, twice, because the
// collector waits for as much again.
func (s *soak) judge(samples []footprint, idle, after footprint) {
	third := len(samples) / 3
	if third == 0 || s.answered.Load() == 0 || s.indexed.Load() == 0 {
		s.Fatalf("%d samples, %d answers, %d pictures: too few to tell", len(samples), s.answered.Load(), s.indexed.Load())
	}
	median := func(part []footprint, of func(footprint) int) int {
		values := make([]int, len(part))
		for i, each := range part {
			values[i] = of(each)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	least := func(part []footprint, of func(footprint) int) int {
		return of(slices.MinFunc(part, func(a, b footprint) int { return of(a) - of(b) }))
	}
	pictures := func(u footprint) int { return u.indexed }
	seen := median(samples[2*third:], pictures) - median(samples[third:2*third], pictures)
	room := max(0, soakCache<<20-samples[third].indexed*tokenBytes)
	cached := 2 * min(room, seen*tokenBytes) >> 20
	s.Logf("%d pictures before the second third, %d between the thirds: up to %d MiB for their tokens", samples[third].indexed, seen, cached)
	for _, figure := range []struct {
		name string
		of   func(footprint) int
		more int
	}{
		{"resident memory in MiB", func(u footprint) int { return u.resident }, cached + 20},
		{"heap in MiB", func(u footprint) int { return u.heap }, cached + 15},
		{"goroutines", func(u footprint) int { return u.goroutines }, 5},
		{"open files", func(u footprint) int { return u.files }, 8},
	} {
		typical := [2]int{median(samples[third:2*third], figure.of), median(samples[2*third:], figure.of)}
		before, last := least(samples[third:2*third], figure.of), least(samples[2*third:], figure.of)
		s.Logf("%s: least %d in the second third, %d in the last; median %d and %d", figure.name, before, last, typical[0], typical[1])
		if last > before+figure.more {
			s.Errorf("%s grew from %d to %d", figure.name, before, last)
		}
	}
	if after.goroutines > idle.goroutines+5 {
		s.Errorf("%d goroutines stay, %d were there before", after.goroutines, idle.goroutines)
	}
}

// startSoak builds the program, serves an empty library with it and gives it a
// part of the gallery to index.
func startSoak(t *testing.T, library string) *soak {
	t.Helper()
	folder := t.TempDir()
	program := program(t)
	pictures := filepath.Join(folder, "pictures")
	if err := os.MkdirAll(filepath.Join(pictures, "coming"), 0o755); err != nil {
		t.Fatal(err)
	}
	copied := 0
	for _, name := range galleryImages(t) {
		if copied++; copied > 150 {
			break
		}
		data, err := fs.ReadFile(builtin.Gallery(), "images/"+name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(pictures, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command(program, "serve", "--json", "--addr", "127.0.0.1:0", "--cache", filepath.Join(folder, "cache"), "--library", filepath.Join(folder, "library"),
		"--runtime", library, "--root", pictures, "--log-level", "error", "--token-cache-mib", strconv.Itoa(soakCache))
	command.Env = append(os.Environ(), "MEKIKI_CONFIG="+filepath.Join(folder, "config.toml"))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("the server ends with %v", err)
		}
	})
	var message struct {
		Address string `json:"address"`
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&message); err != nil {
		t.Fatalf("the server does not start: %v", err)
	}
	return &soak{T: t, address: strings.TrimSuffix(message.Address, "/"), pictures: pictures}
}

func (s *soak) searching(ctx context.Context) {
	names := galleryImages(s.T)
	queries := []string{"two cats", "a castle", "a rocket at night", "a fox -tree", `"red car"`, "qwv zxkj", "a pizza and a dog", "tag:none a bird"}
	for n := 0; ctx.Err() == nil; n++ {
		query := url.QueryEscape(queries[rand.IntN(len(queries))])
		picture := names[rand.IntN(len(names))]
		switch n % 6 {
		case 0, 1:
			s.ask(ctx, "GET", "/api/v1/search?limit=30&q="+query+url.QueryEscape(" "+strconv.Itoa(rand.IntN(1000))), nil, "")
		case 2:
			s.ask(ctx, "GET", "/api/v1/search?limit=30&q="+query, nil, "text/event-stream")
		case 3:
			s.upload(ctx, "/api/v1/search", picture)
		case 4:
			s.upload(ctx, "/api/v1/lookup", picture)
		case 5:
			s.ask(ctx, "GET", "/api/v1/records?facets=true&limit=60", nil, "")
			s.ask(ctx, "GET", "/api/v1/suggestions?q=a+ca", nil, "")
			s.ask(ctx, "GET", fmt.Sprintf("/api/v1/records/%d/thumbnail", 1+rand.IntN(150)), nil, "")
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// churning adds a dozen pictures, indexes them, takes them away and indexes again.
func (s *soak) churning(ctx context.Context) {
	for round := 0; ctx.Err() == nil; round++ {
		for n := range 12 {
			s.draw(filepath.Join(s.pictures, "coming", fmt.Sprintf("round-%d-%d.png", round, n)))
		}
		s.index()
		s.indexed.Add(12)
		left, err := filepath.Glob(filepath.Join(s.pictures, "coming", "*"))
		if err != nil {
			s.Error(err)
		}
		for _, path := range left {
			if err := os.Remove(path); err != nil {
				s.Error(err)
			}
		}
		s.index()
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
}

// draw writes a picture that nobody has seen before.
func (s *soak) draw(path string) {
	canvas := image.NewRGBA(image.Rect(0, 0, 160, 120))
	for range 40 {
		shade := color.RGBA{uint8(rand.IntN(256)), uint8(rand.IntN(256)), uint8(rand.IntN(256)), 255}
		left, top := rand.IntN(140), rand.IntN(100)
		for y := top; y < top+20; y++ {
			for x := left; x < left+20; x++ {
				canvas.Set(x, y, shade)
			}
		}
	}
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, canvas); err != nil {
		s.Error(err)
	}
	if err := os.WriteFile(path, buffer.Bytes(), 0o600); err != nil {
		s.Error(err)
	}
}

// index runs a job to its end.
func (s *soak) index() {
	var job struct{ ID, State, Error string }
	if err := json.Unmarshal(s.ask(context.Background(), "POST", "/api/v1/jobs", strings.NewReader("{}"), ""), &job); err != nil {
		s.Errorf("job: %v", err)
		return
	}
	for job.State == "queued" || job.State == "running" {
		time.Sleep(100 * time.Millisecond)
		if err := json.Unmarshal(s.ask(context.Background(), "GET", "/api/v1/jobs/"+job.ID, nil, ""), &job); err != nil {
			s.Errorf("job: %v", err)
			return
		}
	}
	if job.State != "succeeded" {
		s.Errorf("job: %+v", job)
	}
}

func (s *soak) upload(ctx context.Context, path, picture string) {
	data, err := fs.ReadFile(builtin.Gallery(), "images/"+picture)
	if err != nil {
		s.Error(err)
		return
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("image", picture)
	if err == nil {
		_, err = part.Write(data)
	}
	if err != nil || form.Close() != nil {
		s.Error(err)
		return
	}
	s.ask(ctx, "POST", path, &body, "", form.FormDataContentType())
}

// ask sends a request and gives the body of the answer.
func (s *soak) ask(ctx context.Context, method, path string, body io.Reader, accept string, kind ...string) []byte {
	request, err := http.NewRequestWithContext(ctx, method, s.address+path, body)
	if err != nil {
		s.Error(err)
		return nil
	}
	if body != nil {
		request.Header.Set("Content-Type", append(kind, "application/json")[0])
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			s.Errorf("%s %s: %v", method, path, err)
		}
		return nil
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	switch {
	case err != nil && ctx.Err() == nil:
		s.Errorf("%s %s: %v", method, path, err)
	case response.StatusCode == http.StatusTooManyRequests:
		s.refused.Add(1)
	case response.StatusCode >= 300 && response.StatusCode != http.StatusNotFound:
		s.Errorf("%s %s: %d %s", method, path, response.StatusCode, data)
	default:
		s.answered.Add(1)
	}
	return data
}

// measure reads the server's own measurements.
func (s *soak) measure() footprint {
	values := map[string]float64{}
	for line := range strings.Lines(string(s.ask(context.Background(), "GET", "/metrics", nil, ""))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = number
		}
	}
	if values["process_resident_memory_bytes"] == 0 {
		s.Fatal("/metrics does not tell what the process uses")
	}
	return footprint{
		at: time.Now(), resident: int(values["process_resident_memory_bytes"]) >> 20, heap: int(values["go_memstats_heap_inuse_bytes"]) >> 20,
		goroutines: int(values["go_goroutines"]), files: int(values["process_open_fds"]), indexed: int(s.indexed.Load()),
	}
}

func galleryImages(t *testing.T) []string {
	t.Helper()
	entries, err := fs.ReadDir(builtin.Gallery(), "images")
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}
