package xmp

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mekiki/index"
)

// album is a folder of pictures, of which nothing is read, and a library's.
type album struct {
	*testing.T
	photos, library string
	records         []*index.Record
}

func newAlbum(t *testing.T, names ...string) *album {
	t.Helper()
	a := &album{T: t, photos: filepath.Join(t.TempDir(), "photos"), library: filepath.Join(t.TempDir(), "library")}
	for i, name := range names {
		path := filepath.Join(a.photos, name)
		a.write(path, "picture")
		a.records = append(a.records, &index.Record{
			ID: index.ID(i + 1), Kind: index.KindImage, Files: []index.File{{Path: path}}, Tags: []string{"tag of " + name},
		})
	}
	return a
}

func (a *album) write(path, text string) {
	a.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		a.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		a.Fatal(err)
	}
}

func (a *album) read(name string) string {
	a.Helper()
	data, err := os.ReadFile(filepath.Join(a.photos, name))
	if err != nil {
		a.Error(err)
	}
	return string(data)
}

// files lists what lies in the folder.
func (a *album) files() (names []string) {
	entries, err := os.ReadDir(a.photos)
	if err != nil {
		a.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func (a *album) run(options Options) Report {
	a.Helper()
	if options.Kinds == 0 {
		options.Kinds = Given
	}
	options.LibraryFolder = a.library
	report, err := Write(a.Context(), a.records, options)
	if err != nil {
		a.Fatal(err)
	}
	return report
}

func (a *album) undo() UndoReport {
	a.Helper()
	report, err := Undo(a.Context(), a.library, time.Now())
	if err != nil {
		a.Fatal(err)
	}
	return report
}

const emptySidecar = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>`

// TestWhichSidecar: what exists is kept to, but for IMG.xmp of several pictures.
func TestWhichSidecar(t *testing.T) {
	a := newAlbum(t, "new.jpg", "old.jpg", "both.jpg", "pair.jpg", "pair.NEF", "twins.jpg", "twins.png", "case.JPG")
	for _, name := range []string{"old.xmp", "both.xmp", "both.jpg.xmp", "pair.xmp", "twins.xmp", "CASE.jpg.XMP"} {
		a.write(filepath.Join(a.photos, name), emptySidecar)
	}
	report := a.run(Options{})
	if report.Written != 8 || report.Refused != 0 {
		t.Errorf("%+v", report)
	}
	for name, want := range map[string]string{
		"new.jpg": "new.jpg.xmp", "old.jpg": "old.xmp", "both.jpg": "both.jpg.xmp", "pair.jpg": "pair.jpg.xmp", "pair.NEF": "pair.xmp",
		"twins.jpg": "twins.jpg.xmp", "twins.png": "twins.png.xmp", "case.JPG": "CASE.jpg.XMP",
	} {
		if !strings.Contains(a.read(want), "tag of "+name) {
			t.Errorf("%s is not written for %s: %s", want, name, a.read(want))
		}
	}
	if a.read("twins.xmp") != emptySidecar || a.read("both.xmp") != emptySidecar {
		t.Error("a sidecar of several pictures was written")
	}
	if again := a.run(Options{}); again.Unchanged != 8 || again.Run != "" {
		t.Errorf("%+v", again)
	}
}

// TestUndo: a run is taken back, but for sidecars that have changed since; a dry run changes nothing.
func TestUndo(t *testing.T) {
	a := newAlbum(t, "a.jpg", "b.jpg", "c.jpg")
	a.write(filepath.Join(a.photos, "b.jpg.xmp"), emptySidecar)
	before := a.files()
	if dry := a.run(Options{DryRun: true}); dry.Written != 3 || len(dry.Files) != 3 || !slices.Equal(before, a.files()) || a.read("b.jpg.xmp") != emptySidecar {
		t.Errorf("%+v", dry)
	}
	if _, err := Undo(t.Context(), a.library, time.Now()); !errors.Is(err, ErrNothingToUndo) {
		t.Error(err)
	}
	a.run(Options{})
	own := a.read("c.jpg.xmp")
	a.write(filepath.Join(a.photos, "c.jpg.xmp"), emptySidecar)
	if report := a.undo(); report.Restored != 1 || report.Removed != 1 || report.Refused != 1 || len(report.Files) != 1 {
		t.Errorf("%+v", report)
	}
	if a.read("b.jpg.xmp") != emptySidecar || a.read("c.jpg.xmp") != emptySidecar || slices.Contains(a.files(), "a.jpg.xmp") {
		t.Error(a.files())
	}
	a.write(filepath.Join(a.photos, "c.jpg.xmp"), own)
	if report := a.undo(); report.Removed != 1 || report.Refused != 0 || !slices.Equal(before, a.files()) {
		t.Errorf("%+v, %q", report, a.files())
	}
	if _, err := Undo(t.Context(), a.library, time.Now()); !errors.Is(err, ErrNothingToUndo) {
		t.Error(err)
	}
}

// TestBadSidecars: what cannot be written costs only itself, and is as it was.
func TestBadSidecars(t *testing.T) {
	a := newAlbum(t, "good.jpg", "broken.jpg", "huge.jpg", "link.jpg", "folder.jpg", "gone.jpg", "upload.jpg")
	broken, huge := "<x:xmpmeta", emptySidecar+strings.Repeat(" ", 5<<20)
	a.write(filepath.Join(a.photos, "broken.jpg.xmp"), broken)
	a.write(filepath.Join(a.photos, "huge.jpg.xmp"), huge)
	a.write(filepath.Join(a.photos, "target"), emptySidecar)
	if err := os.Symlink("target", filepath.Join(a.photos, "link.jpg.xmp")); err != nil {
		t.Skip(err)
	}
	if err := os.Mkdir(filepath.Join(a.photos, "folder.jpg.xmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(a.photos, "gone.jpg")); err != nil {
		t.Fatal(err)
	}
	a.records[6].Files[0].Name = "upload.jpg"
	report := a.run(Options{})
	if report.Written != 1 || report.Refused != 4 || report.Skipped != 2 {
		t.Errorf("%+v", report)
	}
	for _, file := range report.Files {
		if file.State != Written && file.Reason == "" {
			t.Errorf("%+v", file)
		}
	}
	if a.read("broken.jpg.xmp") != broken || a.read("huge.jpg.xmp") != huge || a.read("target") != emptySidecar {
		t.Error("a refused sidecar has changed")
	}
	a.records[1].Tags = nil
	if report := a.run(Options{}); report.Refused != 3 {
		t.Errorf("a sidecar into which nothing is to be written is refused: %+v", report)
	}
	roots := a.run(Options{Roots: []string{t.TempDir()}, DryRun: true})
	if roots.Written+roots.Refused != 0 {
		t.Errorf("%+v", roots)
	}
}

// TestInterrupted: a run that is stopped goes on where it was.
func TestInterrupted(t *testing.T) {
	a := newAlbum(t, "a.jpg", "b.jpg", "c.jpg")
	ctx, cancel := context.WithCancel(t.Context())
	report, err := Write(ctx, a.records, Options{Kinds: Given, LibraryFolder: a.library, Progress: func(done, _ int) {
		if done == 1 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || report.Written != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if report := a.run(Options{}); report.Written != 2 || report.Unchanged != 1 {
		t.Errorf("%+v", report)
	}
	// A run that was killed between its note and its writing, or in the middle of either, is taken back too.
	runs, err := filepath.Glob(filepath.Join(a.library, JournalFolder, "*"+".jsonl"))
	if err != nil || len(runs) != 2 {
		t.Fatal(runs, err)
	}
	line, err := json.Marshal(entry{Path: filepath.Join(a.photos, "never.jpg.xmp"), After: sumOf([]byte("x"))})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(runs[1], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString(string(line) + "\n" + string(line[:20]))
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	a.write(filepath.Join(a.photos, ".b.jpg.xmp.mekiki-new"), "half")
	if report := a.undo(); report.Removed != 2 || report.Refused != 0 {
		t.Errorf("%+v", report)
	}
	if report := a.run(Options{}); report.Written != 2 || slices.Contains(a.files(), ".b.jpg.xmp.mekiki-new") {
		t.Errorf("%+v, %q", report, a.files())
	}
}

// TestReadByExiftool: exiftool reads what was written, and finds nothing wrong.
func TestReadByExiftool(t *testing.T) {
	program, err := exec.LookPath("exiftool")
	if err != nil {
		t.Skip("exiftool is not installed")
	}
	a := newAlbum(t, "a.jpg")
	said := everything()
	a.records[0].Tags, a.records[0].Captions = said.Tags, []index.Caption{{Text: said.Caption, Model: said.CaptionModel}}
	a.records[0].Given = &index.Given{Rating: said.Rating, Title: said.Title, Date: said.Date, Favourite: true, People: said.People}
	a.run(Options{Kinds: Given | Captions})
	output, err := exec.CommandContext(t.Context(), program, "-json", "-G1", "-struct", "-all", "-validate", "-warning", filepath.Join(a.photos, "a.jpg.xmp")).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var read []map[string]any
	if err := json.Unmarshal(output, &read); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"XMP-xmp:Rating": `4`, "XMP-dc:Title": `"Temple \u003cin\u003e rain"`, "XMP-dc:Description": `"a temple in the rain"`,
		"XMP-dc:Subject": `["Kyoto","lantern","a \u0026 b","Ada Lovelace"]`, "XMP-lr:HierarchicalSubject": `["Places|Japan|Kyoto","lantern","a \u0026 b","People|Ada Lovelace"]`,
		"XMP-digiKam:TagsList": `["Places/Japan/Kyoto","lantern","a \u0026 b","People/Ada Lovelace"]`, "XMP-iptcExt:PersonInImage": `["Ada Lovelace"]`,
		"XMP-photoshop:DateCreated": `"1984:07:14 18:30:00"`, "XMP-exif:DateTimeOriginal": `"1984:07:14 18:30:00"`, "XMP-digiKam:PickLabel": `3`,
		"ExifTool:Validate": `"OK"`,
	} {
		got, err := json.Marshal(read[0][name])
		if err != nil || string(got) != want && !(name == "XMP-digiKam:PickLabel" && strings.Contains(string(got), "3")) {
			t.Errorf("%s is %s, expected %s", name, got, want)
		}
	}
	if t.Failed() {
		t.Logf("%s\n%s", output, a.read("a.jpg.xmp"))
	}
}

// TestModeStays: a sidecar that a group writes to stays one, whatever this program's own mask.
func TestModeStays(t *testing.T) {
	a := newAlbum(t, "a.jpg")
	sidecar := filepath.Join(a.photos, "a.jpg.xmp")
	a.write(sidecar, emptySidecar)
	if err := os.Chmod(sidecar, 0o666); err != nil {
		t.Fatal(err)
	}
	a.run(Options{})
	if stat, err := os.Stat(sidecar); err != nil || stat.Mode().Perm() != 0o666 || stat.Size() == int64(len(emptySidecar)) {
		t.Errorf("%v, %v", stat.Mode(), err)
	}
}

// TestUploadsOfAClusterHaveNoSidecars: a path that is not absolute is of an upload without a file, even where a folder of that
// name is in the current one.
func TestUploadsOfAClusterHaveNoSidecars(t *testing.T) {
	a := newAlbum(t, "a.jpg")
	t.Chdir(t.TempDir())
	path := filepath.FromSlash("upload:/a-b.jpeg")
	if err := os.Mkdir("upload:", 0o700); err != nil {
		t.Skip(err)
	}
	a.write(path, "a picture")
	a.records[0].Files = append(a.records[0].Files, index.File{Path: path})
	report := a.run(Options{})
	if report.Written != 1 || report.Skipped != 1 {
		t.Errorf("%+v", report)
	}
	if entries, err := os.ReadDir("upload:"); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
