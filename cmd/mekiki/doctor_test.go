package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/cmd/mekiki/internal/doctor"
	"mekiki/embed/ort"
	"mekiki/internal/clustertest/storetest"
)

// diagnoses runs doctor with --json and returns what each check found.
func diagnoses(t *testing.T, wantStatus int, arguments ...string) map[string]doctor.Diagnosis {
	t.Helper()
	status, out, errors := runForTest(t, append([]string{"doctor", "--json"}, arguments...)...)
	if status != wantStatus {
		t.Fatalf("status %d, want %d: %s%s", status, wantStatus, out, errors)
	}
	var report struct {
		Healthy bool
		Checks  []doctor.Diagnosis
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if report.Healthy != (wantStatus == cli.ExitOK) {
		t.Errorf("healthy is %t with status %d", report.Healthy, status)
	}
	found := map[string]doctor.Diagnosis{}
	for _, check := range report.Checks {
		if check.Verdict == doctor.VerdictFailed && check.Remedy == "" {
			t.Errorf("%s failed without a remedy: %s", check.Check, check.Detail)
		}
		found[check.Check] = check
	}
	return found
}

func TestDoctor(t *testing.T) {
	flags, _ := tinyModel(t)
	t.Setenv("MEKIKI_LIBRARY", filepath.Join(t.TempDir(), "library"))
	found := diagnoses(t, cli.ExitOK, flags...)
	for check, part := range map[string]string{
		"program": "mekiki", "runtime": "ONNX Runtime", "cache": os.Getenv("MEKIKI_CACHE"), "model": "tiny, fp32", "library": "none yet", "settings": "none",
	} {
		if got := found[check]; got.Verdict != doctor.VerdictOK || !strings.Contains(got.Detail, part) {
			t.Errorf("%s: %+v", check, got)
		}
	}
	if status, out, _ := runForTest(t, append([]string{"doctor"}, flags...)...); status != cli.ExitOK || strings.Count(out, "\n") < 8 {
		t.Errorf("status %d: %s", status, out)
	}
	damaged := filepath.Join(os.Getenv("MEKIKI_CACHE"), "models", "tiny", "qformer.bin")
	content, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2]++
	if err := os.WriteFile(damaged, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := diagnoses(t, cli.ExitError, flags...)["model"]; got.Verdict != doctor.VerdictFailed || !strings.Contains(got.Detail, "qformer.bin") {
		t.Errorf("a damaged model: %+v", got)
	}
}

func TestDoctorFindsFaults(t *testing.T) {
	offlineEnvironment(t, "http://127.0.0.1:1")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("neither a folder nor a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	found := diagnoses(t, cli.ExitError, "--runtime", file, "--cache", filepath.Join(file, "cache"), "--library", file)
	for _, check := range []string{"runtime", "cache", "library"} {
		if found[check].Verdict != doctor.VerdictFailed {
			t.Errorf("%s: %+v", check, found[check])
		}
	}
	t.Setenv(ort.LibraryVariable, "")
	if _, looked := found["model"]; looked {
		t.Error("a model was looked at without a runtime")
	}
}

func TestDoctorServer(t *testing.T) {
	ready := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/readyz" {
			http.NotFound(w, request)
		} else if !ready {
			http.Error(w, "the model is loading", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	if found := diagnoses(t, cli.ExitOK, "--server", server.URL); len(found) != 1 {
		t.Errorf("looked at more than the server: %v", found)
	}
	ready = false
	if got := diagnoses(t, cli.ExitError, "--server", server.URL)["server"]; !strings.Contains(got.Detail, "the model is loading") {
		t.Errorf("not ready: %+v", got)
	}
	server.Close()
	diagnoses(t, cli.ExitError, "--server", server.URL)
	diagnoses(t, cli.ExitError, "--server", "localhost:80")
}

// TestDoctorCluster: the settings, the store and the cache of a library on several machines, in place of the library on this one.
func TestDoctorCluster(t *testing.T) {
	offlineEnvironment(t, "http://127.0.0.1:1")
	folder := t.TempDir()
	write := func(bucket string) string {
		t.Helper()
		text := fmt.Sprintf("[engine]\naddresses = [\"http://127.0.0.1:1\"]\n[store]\naddress = %q\nbucket = %q\naccess-key = \"a\"\nsecret-key = \"secret\"\n[cache]\nfolder = %q\n",
			storetest.StartMemory(t, "bucket"), bucket, filepath.Join(folder, "cache"))
		path := filepath.Join(folder, "cluster.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	found := diagnoses(t, cli.ExitError, "--runtime", folder, "--cluster", write("bucket"))
	for _, check := range []string{"cluster", "store: store", "store: bucket", "store: clock", "store: region", "store: rights", "store: cache"} {
		if found[check].Verdict != doctor.VerdictOK {
			t.Errorf("%s: %+v", check, found[check])
		}
	}
	if _, looked := found["library"]; looked {
		t.Error("the library of this machine was looked at")
	}
	found = diagnoses(t, cli.ExitError, "--runtime", folder, "--cluster", write("another"))
	if got := found["store: bucket"]; got.Verdict != doctor.VerdictFailed || !strings.Contains(got.Remedy, "make the bucket another") {
		t.Errorf("%+v", got)
	}
	t.Setenv("MEKIKI_CLUSTER", filepath.Join(folder, "none.toml"))
	if got := diagnoses(t, cli.ExitError, "--runtime", folder)["cluster"]; got.Verdict != doctor.VerdictFailed || !strings.Contains(got.Remedy, "docs/cluster.md") {
		t.Errorf("%+v", got)
	}
}

func TestBenchRefuses(t *testing.T) {
	for _, arguments := range [][]string{{"--least", "0s"}, {"--image-size", "225"}, {"--image-size", "0"}} {
		if status, out, errors := runForTest(t, append([]string{"bench"}, arguments...)...); status != cli.ExitUsage {
			t.Errorf("%v: status %d: %s%s", arguments, status, out, errors)
		}
	}
}

func TestBench(t *testing.T) {
	flags, _ := tinyModel(t)
	status, out, errors := runForTest(t, append([]string{"bench", "--least", "1ms"}, flags...)...)
	if status != cli.ExitOK || !strings.Contains(out, "image to vectors") || !strings.Contains(out, "greedy caption") {
		t.Errorf("status %d: %s%s", status, out, errors)
	}
	status, out, errors = runForTest(t, append([]string{"bench", "--least", "1ms", "--json"}, flags...)...)
	var report struct {
		Results []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(out), &report); status != cli.ExitOK || err != nil || len(report.Results) != 1 {
		t.Errorf("status %d, %v: %s%s", status, err, out, errors)
	}
}
