package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestTree compares the repository itself with the recorded hashes.
func TestTree(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("git may write other line ends here")
	}
	if _, err := os.Stat("../../.git"); err != nil {
		t.Skip("not a checkout: ", err)
	}
	var report strings.Builder
	failures, err := verify(t.Context(), &report, "../..", table, false)
	if err != nil {
		t.Skip(err)
	}
	if failures > 0 {
		t.Errorf("%d failures:\n%s", failures, report.String())
	}
}

// TestEntriesAreWhole asks of each entry that it is named once, says how its files came to be, and has a hash where there is a source.
func TestEntriesAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, entry := range table {
		if seen[entry.path] {
			t.Errorf("%s is named twice", entry.path)
		}
		seen[entry.path] = true
		if entry.made == "" || entry.from != nil && entry.digest == "" {
			t.Errorf("%s: how was it made, and what is its hash?", entry.path)
		}
	}
}

// given is a source with an answer.
type given struct {
	data string
	err  error
}

func (g given) fetch(context.Context) ([]byte, error) { return []byte(g.data), g.err }
func (g given) String() string                        { return "what is given" }

func TestVerify(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip(err)
	}
	root := t.TempDir()
	const content = "a\x00blob"
	for _, name := range []string{"blob", "folder/one", "folder/two", "text"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		data := content
		if name == "text" {
			data = "words"
		}
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, arguments := range [][]string{{"init", "-q"}, {"add", "."}} {
		command := exec.Command("git", arguments...)
		command.Dir = root
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatal(err, string(output))
		}
	}
	sum := sha256.Sum256([]byte(content))
	digest := hex.EncodeToString(sum[:])
	folder := entry{path: "folder/", made: "by hand"}
	blob := func(digest string, from source) entry { return entry{"blob", digest, from, "by hand"} }
	for _, c := range []struct {
		name     string
		table    []entry
		failures int
		says     string
	}{
		{"the same", []entry{folder, blob(digest, given{content, nil})}, 0, "same       blob (1)"},
		{"another file at the source", []entry{folder, blob(digest, given{"other", nil})}, 1, "DIFFERENT  blob"},
		{"a source that fails", []entry{folder, blob(digest, given{"", os.ErrInvalid})}, 1, "FAILED     blob"},
		{"a source out of reach", []entry{folder, blob(digest, given{"", fmt.Errorf("%w: no network", errUnreachable)})}, 0, "no network"},
		{"changed", []entry{folder, blob("0", nil)}, 1, "CHANGED    blob"},
		{"no source", []entry{folder, blob(digest, nil)}, 0, "unchanged  blob"},
		{"no entry", []entry{folder}, 1, "UNKNOWN    blob"},
		{"no file", []entry{folder, blob(digest, nil), {path: "gone", made: "by hand"}}, 1, "MISSING    gone"},
		{"an entry within a folder", []entry{folder, blob("", nil), {path: "folder/one", made: "by hand"}}, 0, "listed     folder/ (1)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var report strings.Builder
			failures, err := verify(t.Context(), &report, root, c.table, true)
			if err != nil {
				t.Fatal(err)
			}
			if failures != c.failures || !strings.Contains(report.String(), c.says) {
				t.Errorf("%d failures, want %d and %q in:\n%s", failures, c.failures, c.says, report.String())
			}
		})
	}
}
