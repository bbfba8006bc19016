package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/bring"
	"mekiki/index/local"
)

// TestBringVerb brings what PhotoPrism's files say into a library, by itself and through the server that has it, and takes
// it back.
func TestBringVerb(t *testing.T) {
	h := newHanded(t)
	if status, out, complaints := h.run("", "index", h.pictures); status != cli.ExitOK {
		t.Fatalf("status %d, %s%s", status, out, complaints)
	}
	sidecars := filepath.Join(h.folder, "sidecar")
	if err := os.Mkdir(sidecars, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a.yml":    "UID: p1\nType: image\nTakenAt: 2020-01-01T00:00:00Z\nTitle: Bridge\nTitleSrc: manual\nCaption: |-\n  Rain,\n  again\nCaptionSrc: manual\nFavorite: true\nDetails:\n  Keywords: bridge\n  KeywordsSrc: manual\n  Subject: Ada\n",
		"gone.yml": "UID: p2\nType: image\nTakenAt: 2020-01-01T00:00:00Z\nFavorite: true\n",
	} {
		if err := os.WriteFile(filepath.Join(sidecars, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	verb := func(want int, arguments ...string) (report bring.Report) {
		t.Helper()
		status, out, complaints := h.run("", append([]string{"bring", "--json"}, arguments...)...)
		if status != want || want == cli.ExitOK && json.Unmarshal([]byte(out), &report) != nil {
			t.Fatalf("%q: status %d, %s%s", arguments, status, out, complaints)
		}
		return report
	}
	given := func() (found *index.Record) {
		t.Helper()
		opened, err := local.Open(t.Context(), h.library, local.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		snapshot := opened.Snapshot()
		defer snapshot.Close()
		found, err = index.One(snapshot.RecordsByPath(t.Context(), []string{filepath.Join(h.pictures, "a.png")}))
		if err != nil || found == nil {
			t.Fatal(found, err)
		}
		return found
	}
	source := []string{"photoprism", sidecars, "--map", sidecars + "=" + h.pictures}
	check := func(report bring.Report) {
		t.Helper()
		record := given()
		if report.Changed != 1 || report.Unmatched != 1 || record.Title() != "Bridge" || record.Description() != "Rain,\nagain" || !record.Favourite() || len(record.Tags) != 1 || len(record.People()) != 1 {
			t.Errorf("%+v, %+v", report, record)
		}
	}
	verb(cli.ExitNothing, "undo")
	verb(cli.ExitUsage, "immich", "http://localhost:1")
	if report := verb(cli.ExitOK, append(source, "--dry-run")...); report.Changed != 1 || given().Given != nil {
		t.Errorf("%+v", report)
	}
	check(verb(cli.ExitOK, source...))
	verb(cli.ExitOK, "undo")
	if record := given(); record.Given != nil || len(record.Tags) > 0 {
		t.Errorf("after undo: %+v", record)
	}
	h.serve()
	check(verb(cli.ExitOK, source...))
	if status, out, _ := h.run("", append([]string{"bring"}, source...)...); status != cli.ExitOK || !strings.Contains(out, "changed 0 records") || !strings.Contains(out, "gone") {
		t.Errorf("status %d, %s", status, out)
	}
	verb(cli.ExitOK, "undo")
	if record := given(); record.Given != nil || len(record.Tags) > 0 {
		t.Errorf("after undo by the server: %+v", record)
	}
}
