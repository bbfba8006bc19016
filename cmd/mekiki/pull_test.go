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
	"mekiki/embed/hub"
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
	return hubOf(t, repository, "../../embed/checkpoint/testdata/hf-f32")
}

// hubOf serves a folder as the hub serves a repository.
func hubOf(t *testing.T, repository, folder string) *httptest.Server {
	t.Helper()
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
	if status != cli.ExitOK || !strings.Contains(out, "blip2-vit-l") || !strings.Contains(out, "OPT-175B licence *") || errors != "" {
		t.Errorf("status %d\n%s%s", status, out, errors)
	}
	status, out, _ = runForTest(t, "pull", "--list", "--json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); status != cli.ExitOK || err != nil || len(rows) != len(hub.Models()) || rows[5]["licence"] != "Apache-2.0" || rows[8]["licence_terms"] == nil {
		t.Errorf("status %d, %v\n%s", status, err, out)
	}
}

// tinySecondStage is a folder with a tiny second stage and a tokenizer of letters.
func tinySecondStage(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../../embed/checkpoint/testdata/language-opt")); err != nil {
		t.Fatal(err)
	}
	vocabulary := map[string]int{"</s>": 2, "Ġ": 5}
	for letter, id := 'a', 0; id < 30; id++ {
		if id != 2 && id != 5 {
			vocabulary[string(letter)] = id
			letter++
		}
	}
	tokenizer, err := json.Marshal(map[string]any{
		"model":         map[string]any{"type": "BPE", "vocab": vocabulary, "merges": []string{}},
		"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false},
		"decoder":       map[string]any{"type": "ByteLevel"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "tokenizer.json"), tokenizer, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestPullSecondStage pulls a second stage whose licence forbids some uses: not until that is accepted. It is compiled in
// int4 unless another precision is given, and says that it answers.
func TestPullSecondStage(t *testing.T) {
	const repository = "Salesforce/blip2-opt-2.7b"
	server := hubOf(t, repository, tinySecondStage(t))
	offlineEnvironment(t, server.URL)
	status, _, errors := runForTest(t, "pull", "blip2-opt-2.7b")
	if status != cli.ExitError || !strings.Contains(errors, "Meta's licence") || !strings.Contains(errors, "--accept-licence") {
		t.Fatalf("status %d, %s", status, errors)
	}
	status, out, errors := runForTest(t, "pull", repository, "--accept-licence", "--precision", "fp32", "--name", "tiny")
	if status != cli.ExitOK || !strings.Contains(out, "tiny is ready: fp32") || !strings.Contains(out, "--answers tiny") {
		t.Fatalf("status %d, %s%s", status, out, errors)
	}
	status, out, errors = runForTest(t, "models", "show", "tiny")
	if status != cli.ExitOK || !strings.Contains(out, "opt, 2 layers of width 16, 2 heads, 34 words") {
		t.Errorf("status %d, %s%s", status, out, errors)
	}
	if status, out, errors = runForTest(t, "pull", "blip2-opt-2.7b", "--yes"); status != cli.ExitOK || !strings.Contains(out, "blip2-opt-2.7b is ready: int4") {
		t.Errorf("status %d, %s%s", status, out, errors)
	}
	if status, _, errors = runForTest(t, "pull", "blip2-flan-t5-xl"); status != cli.ExitError || !strings.Contains(errors, "licence Apache-2.0") {
		t.Errorf("status %d, %s", status, errors)
	}
}

// TestSecondStageWithoutTokenizer wants a second stage without its tokenizer to be refused before its weights are fetched.
func TestSecondStageWithoutTokenizer(t *testing.T) {
	server := hubOf(t, "me/second", "../../embed/checkpoint/testdata/language-opt")
	offlineEnvironment(t, server.URL)
	status, _, errors := runForTest(t, "pull", "me/second")
	if status != cli.ExitError || !strings.Contains(errors, "tokenizer") {
		t.Errorf("status %d, %s", status, errors)
	}
	status, _, errors = runForTest(t, "import", "../../embed/checkpoint/testdata/hf-f32", "--precision", "int4")
	if status != cli.ExitUsage || !strings.Contains(errors, "int4 is for second stages") {
		t.Errorf("status %d, %s", status, errors)
	}
}
