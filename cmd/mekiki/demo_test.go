package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/builtin"
	"mekiki/embed/ort/orttest"
)

// TestDemo runs the main job as a newcomer would, on the built-in model and
// gallery, and then looks at the page that it serves.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("indexes the whole gallery")
	}
	runtime := orttest.Open(t)
	cache := t.TempDir()
	t.Setenv("MEKIKI_CONFIG", filepath.Join(cache, "config.toml"))
	flags := []string{"demo", "--quiet", "--cache", cache, "--runtime", runtime.LibraryPath()}
	t.Run("query", func(t *testing.T) { testDemoQuery(t, flags) })
	t.Run("nonsense", func(t *testing.T) {
		status, out, errors := runForTest(t, append(flags, "--query", "qwv zxkj plmf", "--json")...)
		if strings.Contains(out, `"verdict": "strong"`) {
			t.Errorf("status %d: nonsense has a strong match\n%s%s", status, out, errors)
		}
	})
	t.Run("ask", func(t *testing.T) { testDemoAsk(t, flags) })
	t.Run("why", func(t *testing.T) { testDemoWhy(t, cache, flags) })
	t.Run("page", func(t *testing.T) { testPage(t, serveForTest(t, flags)) })
}

func testDemoQuery(t *testing.T, flags []string) {
	kinds := galleryKinds(t)
	for query, word := range map[string]string{"two cats": "cat", "a rocket": "rocket", "a castle": "castle"} {
		status, out, errors := runForTest(t, append(flags, "--query", query, "--json")...)
		if status != cli.ExitOK {
			t.Fatalf("%q: status %d: %s%s", query, status, out, errors)
		}
		var answer struct {
			Query string
			Hits  []struct {
				ID, Path, Caption, Verdict string
				Probability                float64
			}
		}
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			t.Fatal(err)
		}
		if answer.Query != query || len(answer.Hits) == 0 {
			t.Fatalf("%q: got %s", query, out)
		}
		best := answer.Hits[0]
		if !strings.Contains(kinds[filepath.Base(best.Path)], word) || best.ID == "" || best.Verdict == "none" || best.Probability <= 0 {
			t.Errorf("%q: the best hit is %+v", query, best)
		}
		if _, err := os.Stat(best.Path); err != nil {
			t.Errorf("%q: %v", query, err)
		}
	}
	status, _, errors := runForTest(t, append(flags, "--query", "a helicoptre tag:nothing")...)
	if status != cli.ExitNothing || !strings.Contains(errors, "did you mean: a helicopter tag:nothing") {
		t.Errorf("status %d, want what was meant: %s", status, errors)
	}
}

// galleryKinds maps the name of each of the gallery's files to the kinds of
// thing that its picture was drawn with.
func galleryKinds(t *testing.T) map[string]string {
	t.Helper()
	content, err := fs.ReadFile(builtin.Gallery(), "truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var truths map[string]struct {
		Things []struct{ Kind string }
	}
	if err := json.Unmarshal(content, &truths); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for name, truth := range truths {
		for _, thing := range truth.Things {
			kinds[name] += thing.Kind + "; "
		}
	}
	return kinds
}

// serveForTest serves the demo on a free port until the test ends and returns
// the page's address.
func serveForTest(t *testing.T, flags []string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	var errors bytes.Buffer
	done := make(chan int, 1)
	app := &cli.App{In: strings.NewReader(""), Out: writer, Stderr: &errors}
	go func() { done <- run(ctx, app, append(flags, "--no-open", "--addr", "127.0.0.1:0", "--json")) }()
	t.Cleanup(func() {
		cancel()
		select {
		case status := <-done:
			if status != cli.ExitOK && status != cli.ExitInterrupted {
				t.Errorf("the server ended with status %d: %s", status, errors.String())
			}
		case <-time.After(30 * time.Second):
			t.Error("the server does not stop")
		}
	})
	var message struct {
		Address string `json:"address"`
	}
	if err := json.NewDecoder(bufio.NewReader(reader)).Decode(&message); err != nil {
		t.Fatalf("the server does not start: %v", err)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	return message.Address
}
