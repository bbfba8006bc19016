package server

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/index"
	"mekiki/server/auth"
	"mekiki/server/problem"
)

// TestOwnerMayIndexAnyFolder: the secret of the user who runs the server opens folders outside of the roots, with tokens
// and without; nobody else's does, and who is refused learns which folders may be indexed.
func TestOwnerMayIndexAnyFolder(t *testing.T) {
	const secret = "of this run"
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "a.jpg"), jpegOf(30, 20), 0o600); err != nil {
		t.Fatal(err)
	}
	body := `{"paths":["` + filepath.ToSlash(outside) + `"]}`
	admin, adminSecret, err := auth.NewToken("admin", auth.ScopeAdmin)
	if err != nil {
		t.Fatal(err)
	}
	for name, tokens := range map[string][]auth.Token{"tokens": {admin}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			f := start(t, func(o *Options) { o.OwnerSecret, o.Tokens = secret, tokens })
			post := func(bearer string) answer {
				request := f.request("POST", "/api/v1/jobs", strings.NewReader(body))
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("Authorization", "Bearer "+bearer)
				return f.send(request)
			}
			refused := f.expect(post(adminSecret), 403, problem.Forbidden)
			if !strings.Contains(refused.text(t, "hint"), f.root) {
				t.Errorf("the hint does not name %s: %s", f.root, refused.body)
			}
			if id := f.expect(post(secret), 202, "").text(t, "id"); id != "1" {
				t.Errorf("job %s", id)
			}
			if tokens != nil {
				f.expect(post("of another run"), 401, problem.Unauthorized)
			}
		})
	}
	f := start(t)
	request := f.request("POST", "/api/v1/jobs", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer ")
	f.expect(f.send(request), 403, problem.Forbidden) // a server without a secret has no owner
}

// TestFailuresAreFilteredAndTriedAgain: failures are counted by reason, filtered, sent as a table and read again, one, those
// of a reason or all of them.
func TestFailuresAreFilteredAndTriedAgain(t *testing.T) {
	f := start(t)
	broken := filepath.Join(f.root, "broken.jpg")
	if err := os.WriteFile(broken, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	await := func(body string) answer {
		t.Helper()
		id := f.expect(f.json("POST", "/api/v1/jobs", body), 202, "").text(t, "id")
		f.get("/api/v1/jobs/" + id + "/events")
		return f.get("/api/v1/jobs/" + id)
	}
	job := await(`{"captions":false}`)
	if job.text(t, "progress.failed") != "1" || job.text(t, "result.failed") != "1" || job.text(t, "progress.total") == "0" {
		t.Errorf("job %s", job.body)
	}
	if got := f.get("/api/v1/jobs/1/failures"); got.text(t, "failures.0.path") != broken {
		t.Errorf("failures of the job %s", got.body)
	}
	all := f.get("/api/v1/failures")
	reason := ""
	for _, each := range all.at(t, "failures").([]any) {
		if each := each.(map[string]any); each["path"] == broken {
			reason, _ = each["reason"].(string)
		}
	}
	if reason == "" || len(all.at(t, "reasons").([]any)) < 2 {
		t.Fatalf("failures %s", all.body)
	}
	query := "/api/v1/failures?reason=" + strings.ReplaceAll(reason, " ", "%20")
	if got := f.get(query); got.text(t, "total") != "1" || got.text(t, "failures.0.path") != broken {
		t.Errorf("with the reason %q: %s", reason, got.body)
	}
	table, err := csv.NewReader(strings.NewReader(string(f.get(query + "&format=csv").body))).ReadAll()
	if err != nil || len(table) != 2 || table[1][0] != broken || table[1][1] != reason {
		t.Errorf("table %q, %v", table, err)
	}
	// The size and the time stay: only a retry looks again.
	stamp, err := os.Stat(broken)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(broken, jpegOf(30, 20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(broken, stamp.ModTime(), stamp.ModTime()); err != nil {
		t.Fatal(err)
	}
	if job = await(`{"kind":"retry","captions":false,"paths":["` + broken + `"]}`); job.text(t, "kind") != "retry" || job.text(t, "progress.added") != "1" {
		t.Errorf("retry %s", job.body)
	}
	if got := f.get(query); got.text(t, "total") != "0" {
		t.Errorf("after the retry: %s", got.body)
	}
	f.expect(f.json("POST", "/api/v1/jobs", `{"kind":"retry","reason":"`+reason+`"}`), 404, problem.NotFound)

	// A file that is gone is no failure any more.
	if err := os.WriteFile(filepath.Join(f.root, "short.jpg"), []byte("no picture either"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := await(`{"captions":false}`).text(t, "progress.failed")
	if err := os.Remove(filepath.Join(f.root, "short.jpg")); err != nil {
		t.Fatal(err)
	}
	await(`{"kind":"retry","captions":false,"paths":["` + filepath.Join(f.root, "short.jpg") + `"]}`)
	if got := f.get(query); before != "1" || got.text(t, "total") != "0" {
		t.Errorf("%s failed; after the retry of a file that is gone: %s", before, got.body)
	}
}

// TestUnchangedFailuresAreReadAgainByARetryAlone: a file that failed and is as it was is read by a retry and not by indexing.
func TestUnchangedFailuresAreReadAgainByARetryAlone(t *testing.T) {
	f := start(t)
	broken := filepath.Join(f.root, "broken.jpg")
	if err := os.WriteFile(broken, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, body := range []string{`{"captions":false}`, `{"captions":false}`, `{"captions":false,"kind":"retry"}`} {
		id := f.expect(f.json("POST", "/api/v1/jobs", body), 202, "").text(t, "id")
		f.get("/api/v1/jobs/" + id + "/events")
		failed := f.get("/api/v1/jobs/"+id).text(t, "progress.failed")
		if want := []string{"1", "0", "1"}[i]; failed != want && i < 2 || i == 2 && failed == "0" {
			t.Errorf("job %s: %s failed, want %s", id, failed, want)
		}
	}
}

// TestRemovals takes out records, and files of records, for good.
func TestRemovals(t *testing.T) {
	f := start(t)
	id := f.put(index.Record{Kind: index.KindImage, Hash: index.Hash{9}, Files: []index.File{{Path: "/elsewhere/1.jpg"}, {Path: "/elsewhere/2.jpg"}}})
	if got := f.expect(f.json("POST", "/api/v1/removals", `{"files":["/elsewhere/1.jpg","/elsewhere/unknown.jpg"]}`), 200, ""); got.text(t, "removed") != "0" {
		t.Errorf("%s", got.body)
	}
	if got := f.get("/api/v1/records/" + id.String()); strings.Contains(string(got.body), "1.jpg") {
		t.Errorf("%s", got.body)
	}
	if got := f.expect(f.json("POST", "/api/v1/removals", `{"files":["/elsewhere/2.jpg"]}`), 200, ""); got.text(t, "removed") != "1" {
		t.Errorf("%s", got.body)
	}
	f.expect(f.get("/api/v1/records/"+id.String()), 404, problem.NotFound)
	total := f.get("/api/v1/failures").text(t, "total")
	path := f.get("/api/v1/failures").text(t, "failures.0.path")
	f.expect(f.json("POST", "/api/v1/removals", `{"failures":["`+path+`"]}`), 200, "")
	if got := f.get("/api/v1/failures").text(t, "total"); got == total {
		t.Errorf("%s failures before and after", got)
	}
}

// TestSpacesOverTheAPI: a server that cannot open another model says so.
func TestSpacesOverTheAPI(t *testing.T) {
	f := start(t)
	got := f.get("/api/v1/spaces")
	serving := got.text(t, "spaces.0.fingerprint")
	f.expect(f.send(f.request("DELETE", "/api/v1/spaces/"+serving, nil)), 409, problem.Conflict)
	f.expect(f.send(f.request("DELETE", "/api/v1/spaces/ffffffff", nil)), 404, problem.NotFound)
	if got := f.expect(f.send(f.request("POST", "/api/v1/spaces/"+serving+"/serve", nil)), 501, problem.Unsupported); got.text(t, "hint") == "" {
		t.Errorf("%s", got.body)
	}
}
