package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestJobsSurviveTheServer: another server knows the jobs of the one before, gives no id again, and says of what was under way
// that it was broken off.
func TestJobsSurviveTheServer(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "jobs.json")
	withFile := func(o *Options) { o.JobsFile = kept }
	first := start(t, withFile)
	for range 2 {
		id := first.expect(first.json("POST", "/api/v1/jobs", `{}`), 202, "").text(t, "id")
		first.get("/api/v1/jobs/" + id + "/events")
	}
	want := first.get("/api/v1/jobs/2")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, withFile)
	if got := second.expect(second.get("/api/v1/jobs/2"), 200, ""); string(got.body) != string(want.body) || got.text(t, "state") != "succeeded" {
		t.Errorf("job %s, want %s", got.body, want.body)
	}
	second.get("/api/v1/jobs/1/events") // ends at once
	if id := second.expect(second.json("POST", "/api/v1/jobs", `{}`), 202, "").text(t, "id"); id != "3" {
		t.Errorf("the new job is %s", id)
	}
	second.get("/api/v1/jobs/3/events")
	if err := second.stop(); err != nil {
		t.Fatal(err)
	}
	data := strings.Replace(string(readFile(t, kept)), `"succeeded"`, `"running"`, 1)
	if err := os.WriteFile(kept, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	third := start(t, withFile)
	if got := third.get("/api/v1/jobs/1"); got.text(t, "state") != "interrupted" || !strings.Contains(got.text(t, "error"), "stopped before") {
		t.Errorf("job %s", got.body)
	}
	third.expect(third.send(third.request("DELETE", "/api/v1/jobs/1", nil)), 202, "")
	if got := third.get("/api/v1/status"); got.text(t, "jobs_running") != "0" {
		t.Errorf("status %s", got.body)
	}
}

// TestJobsWithoutAFile: what cannot be read or written costs the history, not the jobs.
func TestJobsWithoutAFile(t *testing.T) {
	kept := filepath.Join(t.TempDir(), "jobs.json")
	for _, data := range []string{"", "{", `{"version":9}`, `{"version":1,"last":-4,"jobs":[{"id":"x"},{"id":"0"},{"id":"7","kind":"index","state":"odd"}]}`} {
		if err := os.WriteFile(kept, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		f := start(t, func(o *Options) { o.JobsFile = kept })
		if id := f.expect(f.json("POST", "/api/v1/jobs", `{}`), 202, "").text(t, "id"); id != "1" {
			t.Errorf("%q: the first job is %s", data, id)
		}
		if err := f.stop(); err != nil {
			t.Fatal(err)
		}
	}
	f := start(t, func(o *Options) { o.JobsFile = filepath.Join(t.TempDir(), "gone", "jobs.json") })
	f.expect(f.json("POST", "/api/v1/jobs", `{}`), 202, "")
}
