package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/index"
	"mekiki/index/local"
	"mekiki/index/local/writerlock"
)

// libraryOf makes a library of image records with these files, by name in the
// folder above it, and one failed file.
func libraryOf(t *testing.T, records ...[]string) (folder, library string) {
	t.Helper()
	folder = t.TempDir()
	library = filepath.Join(folder, "library")
	opened, err := local.Open(t.Context(), library, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	batch := index.Batch{Failures: []index.Failure{{File: index.File{Path: filepath.Join(folder, "bad.jpg")}, Reason: "damaged"}}}
	for i, names := range records {
		record := index.Record{Kind: index.KindImage, Hash: index.Hash{byte(i + 1)}}
		for _, name := range names {
			record.Files = append(record.Files, index.File{Path: filepath.Join(folder, name)})
		}
		batch.Puts = append(batch.Puts, index.Put{Record: record})
	}
	if _, err := opened.Write(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	return folder, library
}

// TestVerbsMakeNoLibrary: a mistyped --library is an error, and nothing is made there.
func TestVerbsMakeNoLibrary(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "letter.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"remove 1", "remove --texts", "compact", "check", "check --repair", "export", "status", "backup " + full + "/b.tar", "spaces rollback"} {
		status, _, errors := runForTest(t, append(strings.Fields(verb), "--library", missing)...)
		if status != cli.ExitError || !strings.Contains(errors, missing+": not a library") || !strings.Contains(errors, "--library") {
			t.Errorf("%s: status %d, %s", verb, status, errors)
		}
		if _, err := os.Stat(missing); err == nil {
			t.Fatalf("%s made %s", verb, missing)
		}
	}
	status, _, errors := runForTest(t, "compact", "--library", full)
	if status != cli.ExitError || !strings.Contains(errors, full) || !strings.Contains(errors, "letter.txt") || !strings.Contains(errors, "--library") {
		t.Errorf("a folder of other things: status %d, %s", status, errors)
	}
}

func TestRemoveSaysWhatWillGo(t *testing.T) {
	folder, library := libraryOf(t, []string{"a/1.jpg", "a/2.jpg"}, []string{"a/3.jpg", "b/3.jpg"}, []string{"b/4.jpg"})
	inFolder := func(arguments ...string) (int, string, string) {
		t.Helper()
		return runForTest(t, append([]string{"remove", "--library", library}, arguments...)...)
	}
	writer, err := local.Open(t.Context(), library, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	status, out, errors := inFolder("--dry-run", "--folder", filepath.Join(folder, "a"))
	if status != cli.ExitOK || !strings.Contains(out, "would remove 1 record and 3 paths") {
		t.Errorf("dry run beside a writer: status %d, %q, %s", status, out, errors)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if status, out, errors := inFolder("--folder", ""); status != cli.ExitUsage {
		t.Errorf("an empty folder: status %d, %q, %s", status, out, errors)
	}
	if status, out, errors := inFolder(filepath.Join(folder, "bad.jpg")); status != cli.ExitOK {
		t.Errorf("a failed file: status %d, %q, %s", status, out, errors)
	}
	if _, out, _ := runForTest(t, "status", "--failed", "--library", library); strings.Contains(out, "bad.jpg") {
		t.Errorf("the failed file is still there: %s", out)
	}
	if status, out, errors := inFolder("3", "3", "--folder", filepath.Join(folder, "a")); status != cli.ExitOK || !strings.Contains(out, "removed 2 records") {
		t.Errorf("status %d, %q, %s", status, out, errors)
	}
}

// TestExportFolder: a folder is one place, as for remove; a name alone is any.
func TestExportFolder(t *testing.T) {
	folder, library := libraryOf(t, []string{"a/1.jpg"}, []string{"a/b/2.jpg"}, []string{"b/3.jpg"})
	t.Chdir(folder)
	for name, want := range map[string]int{"a": 2, "./a": 2, "a/": 2, "b": 2, "./b": 1, "a/b": 1, ".": 3, folder: 3, "nowhere/": 0} {
		status, out, errors := runForTest(t, "export", "--library", library, "--folder", name)
		if got := strings.Count(out, "\n"); status != cli.ExitOK || got != want {
			t.Errorf("%s: status %d, %d records, want %d; %s", name, status, got, want, errors)
		}
	}
	if status, _, _ := runForTest(t, "export", "--library", library, "--folder", ""); status != cli.ExitUsage {
		t.Errorf("an empty folder: status %d", status)
	}
}

func TestExportToAFile(t *testing.T) {
	folder, library := libraryOf(t, []string{"1.jpg"})
	name := filepath.Join(folder, "export.jsonl")
	if status, _, errors := runForTest(t, "export", "--library", library, "--output", name); status != cli.ExitOK {
		t.Fatalf("status %d, %s", status, errors)
	}
	if written, err := os.ReadFile(name); err != nil || !strings.Contains(string(written), "1.jpg") {
		t.Fatalf("%s, %v", written, err)
	}
	if status, _, errors := runForTest(t, "export", "--library", library, "--output", os.DevNull); status != cli.ExitOK {
		t.Errorf("to a device: status %d, %s", status, errors)
	}
}

func TestBackupAndRestoreNameWhatIsWrong(t *testing.T) {
	folder, library := libraryOf(t, []string{"1.jpg"})
	taken := filepath.Join(folder, "taken")
	if err := os.Mkdir(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	status, _, errors := runForTest(t, "backup", taken, "--library", library)
	if status != cli.ExitError || !strings.Contains(errors, taken) || !strings.Contains(errors, "name a file") {
		t.Errorf("a folder: status %d, %s", status, errors)
	}
	if _, err := os.Stat(taken + ".part"); err == nil {
		t.Error("a part of a backup is left")
	}
	whole, cut := filepath.Join(folder, "whole.tar"), filepath.Join(folder, "cut.tar")
	if status, _, errors := runForTest(t, "backup", whole, "--library", library); status != cli.ExitOK {
		t.Fatalf("status %d, %s", status, errors)
	}
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, data[:len(data)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, errors := runForTest(t, "restore", cut, "--library", filepath.Join(folder, "one")); status != cli.ExitError || !strings.Contains(errors, cut) {
		t.Errorf("half a backup: status %d, %s", status, errors)
	}
	status, out, errors := runForTest(t, "restore", whole, "--library", filepath.Join(folder, "two"), "--json")
	if status != cli.ExitOK || !strings.Contains(out, `"images": 1`) || !strings.Contains(errors, `"task":"restore"`) {
		t.Errorf("status %d, %s, %s", status, out, errors)
	}
}

// TestStatusOfKilledWriter: a writer that was killed is not shown as writing.
func TestStatusOfKilledWriter(t *testing.T) {
	_, library := libraryOf(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ended := exec.CommandContext(t.Context(), program, "-test.run", "^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for pid, want := range map[int]bool{ended.Process.Pid: false, os.Getpid(): true} {
		data, err := json.Marshal(writerlock.Holder{PID: pid, Host: host, Program: "mekiki", Since: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(library, "writer.json"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, out, errors := runForTest(t, "status", "--library", library); strings.Contains(out, "writer") != want || errors != "" {
			t.Errorf("process %d: %s%s", pid, out, errors)
		}
	}
}

// TestCheckListsNothing: a list without findings is a list.
func TestCheckListsNothing(t *testing.T) {
	_, library := libraryOf(t)
	if status, out, errors := runForTest(t, "check", "--json", "--library", library); status != cli.ExitOK || !strings.Contains(out, `"findings": []`) {
		t.Errorf("status %d, %s%s", status, out, errors)
	}
}

func TestTextsFormat(t *testing.T) {
	if status, _, errors := runForTest(t, "texts", "add", "-", "--format", "xml"); status != cli.ExitUsage || !strings.Contains(errors, "jsonl") {
		t.Errorf("status %d, %s", status, errors)
	}
}

// TestAnnIsChosenAndShown: --ann says how vectors are found; what misses much says so, and
// what does not exist is an error.
func TestAnnIsChosenAndShown(t *testing.T) {
	_, library := libraryOf(t, []string{"a.jpg"})
	status, _, errors := runForTest(t, "status", "--library", library, "--ann", "best")
	if status != cli.ExitUsage || !strings.Contains(errors, "--ann best") {
		t.Errorf("status %d, %s", status, errors)
	}
	status, _, errors = runForTest(t, "status", "--library", library, "--ann", "coder")
	if status != cli.ExitOK || !strings.Contains(errors, cli.CoderRecall) {
		t.Errorf("status %d, %s", status, errors)
	}
	if status, _, errors = runForTest(t, "status", "--library", library, "--ann", "hnsw"); status != cli.ExitOK || errors != "" {
		t.Errorf("status %d, %s", status, errors)
	}
}
