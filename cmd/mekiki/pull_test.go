package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
)

// offlineEnvironment points the hub's variables at a server of the test and at empty folders.
func offlineEnvironment(t *testing.T, endpoint string) (cache string) {
	t.Helper()
	cache = t.TempDir()
	t.Setenv("MEKIKI_CACHE", cache)
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("HF_HUB_CACHE", "")
	t.Setenv("HF_TOKEN", "")
	t.Setenv("HF_TOKEN_PATH", "")
	t.Setenv("HF_HUB_OFFLINE", "")
	t.Setenv("HF_ENDPOINT", endpoint)
	t.Setenv("MEKIKI_LAVIS_ENDPOINT", endpoint+"/lavis")
	return cache
}

// tinyHub serves a tiny Hugging Face checkpoint as the hub does.
func tinyHub(t *testing.T, repository string) *httptest.Server {
	t.Helper()
	const folder = "../../embed/checkpoint/testdata/hf-f32"
	const commit = "0123456789abcdef0123456789abcdef01234567"
	mux := http.NewServeMux()
	var siblings []map[string]any
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		siblings = append(siblings, map[string]any{"rfilename": entry.Name(), "size": info.Size()})
	}
	mux.HandleFunc("GET /api/models/"+repository+"/revision/main", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"sha": commit, "siblings": siblings})
	})
	mux.Handle("GET /"+repository+"/resolve/"+commit+"/", http.StripPrefix("/"+repository+"/resolve/"+commit+"/", http.FileServer(http.Dir(folder))))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// TestPullImportModels pulls a tiny checkpoint over HTTP, imports it in fp32, and lists, shows, verifies and removes it.
func TestPullImportModels(t *testing.T) {
	server := tinyHub(t, "me/tiny")
	cache := offlineEnvironment(t, server.URL)
	want := func(status int, out, errors string, wantStatus int, parts ...string) {
		t.Helper()
		if status != wantStatus {
			t.Fatalf("status %d, %s", status, errors)
		}
		for _, part := range parts {
			if !strings.Contains(out+errors, part) {
				t.Errorf("%q is not in\n%s%s", part, out, errors)
			}
		}
	}
	status, out, errors := runForTest(t, "pull", "me/tiny", "--precision", "fp32")
	want(status, out, errors, cli.ExitOK, "tiny is ready: fp32", "no captioning head", "--model tiny")
	status, out, errors = runForTest(t, "models")
	want(status, out, errors, cli.ExitOK, "tiny", "fp32", "builtin")
	status, out, errors = runForTest(t, "models", "show", "tiny")
	want(status, out, errors, cli.ExitOK, "2 layers of width 8", "fingerprint")
	status, out, errors = runForTest(t, "models", "verify", "tiny")
	want(status, out, errors, cli.ExitOK, "all as compiled", "downloaded files, all as published")
	status, out, errors = runForTest(t, "models", "verify", "tiny", "--golden")
	want(status, out, errors, cli.ExitError, "no published values are known")
	download := filepath.Join(cache, "downloads", "tiny")
	status, out, errors = runForTest(t, "import", download, "--precision", "fp32", "--name", "again", "--json")
	want(status, out, errors, cli.ExitOK, `"name": "again"`, `"seconds"`)

	damaged := filepath.Join(cache, "models", "tiny", "vocab.txt")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("x", 65)), 0o644); err != nil {
		t.Fatal(err)
	}
	status, out, errors = runForTest(t, "models", "verify", "tiny")
	want(status, out, errors, cli.ExitError, "vocab.txt")
	status, out, errors = runForTest(t, "models", "remove", "tiny", "missing")
	want(status, out, errors, cli.ExitError, "tiny was removed", "no such model: missing")
	if _, err := os.Stat(filepath.Join(cache, "models", "tiny")); !os.IsNotExist(err) {
		t.Errorf("the model is still there: %v", err)
	}
	status, out, errors = runForTest(t, "pull", "me/tiny", "--discard", "--precision", "fp32", "--name", "other")
	want(status, out, errors, cli.ExitOK, "other is ready")
	if _, err := os.Stat(download); !os.IsNotExist(err) {
		t.Errorf("the download is still there: %v", err)
	}
}

func TestPullFaults(t *testing.T) {
	server := tinyHub(t, "me/tiny")
	offlineEnvironment(t, server.URL)
	for _, test := range []struct {
		arguments []string
		status    int
		part      string
	}{
		{[]string{"pull"}, cli.ExitUsage, "--list"},
		{[]string{"pull", "no such"}, cli.ExitError, "name one of blip2"},
		{[]string{"pull", "me/missing"}, cli.ExitError, "check the name"},
		{[]string{"pull", "me/tiny", "--name", "../x"}, cli.ExitUsage, "cannot be a model's name"},
		{[]string{"pull", "me/tiny", "--name", "builtin", "--precision", "fp32"}, cli.ExitUsage, "inside the program"},
		{[]string{"import", "/no/such"}, cli.ExitError, "no such file"},
		{[]string{"import", "../../embed/checkpoint/testdata/lavis-whole"}, cli.ExitError, "vocab.txt"},
		{[]string{"models", "show", "missing"}, cli.ExitError, "mekiki import"},
	} {
		status, _, errors := runForTest(t, test.arguments...)
		if status != test.status || !strings.Contains(errors, test.part) {
			t.Errorf("%q: status %d, %s", test.arguments, status, errors)
		}
	}
}

func TestPullList(t *testing.T) {
	offlineEnvironment(t, "http://127.0.0.1:1")
	status, out, errors := runForTest(t, "pull", "--list")
	if status != cli.ExitOK || !strings.Contains(out, "blip2-vit-l") || errors != "" {
		t.Errorf("status %d\n%s%s", status, out, errors)
	}
	status, out, _ = runForTest(t, "pull", "--list", "--json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); status != cli.ExitOK || err != nil || len(rows) != 5 {
		t.Errorf("status %d, %v\n%s", status, err, out)
	}
}
