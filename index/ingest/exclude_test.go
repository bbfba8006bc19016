package ingest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index/ingest/report"
	"mekiki/index/ingest/rules"
)

// TestWhatIsLeftOut: system folders, folders without media and what ignore files name
// are left out; what was in before is taken out, its tags come back with it.
func TestWhatIsLeftOut(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	var all []string
	for i, name := range []string{
		"a.jpg", "@eaDir/a.jpg/thumb.jpg", "#recycle/b.jpg", "$RECYCLE.BIN/c.jpg", "deep/__MACOSX/d.jpg", "lost+found/e.jpg",
		"System Volume Information/f.jpg", "private/g.jpg", "private/deep/h.jpg", "drafts/i.jpg", "deep/drafts/keep.jpg", "deep/j_small.jpg",
	} {
		all = append(all, write(t, testImage(t, uint64(i), 20, 20), photos, filepath.FromSlash(name)))
	}
	slices.Sort(all)
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	everything := Options{Paths: []string{photos}, SystemFolders: true}
	if summary := mustRun(t, library, engine, everything); summary.Added != len(all) {
		t.Fatalf("first run: %+v", summary)
	}
	tag(t, library, all...)
	write(t, nil, photos, "private", rules.NoMediaName)
	write(t, []byte("\uFEFF# what nobody wants to find\r\n\r\ndrafts/\r\n*_small.*\r\n"), photos, rules.IgnoreName)
	write(t, []byte("!drafts/\ndrafts/*\n!keep.jpg\n"), photos, "deep", rules.IgnoreName)
	kept := []string{filepath.Join(photos, "a.jpg"), filepath.Join(photos, "deep", "drafts", "keep.jpg")}
	want := report.Summary{Seen: 2, Unchanged: 2, Excluded: len(all) - 2}
	if diff := cmp.Diff(want, mustRun(t, library, engine, Options{Paths: []string{photos}})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(kept, pathsOf(t, library)); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"private/" + rules.NoMediaName, rules.IgnoreName, "deep/" + rules.IgnoreName} {
		must(t, os.Remove(filepath.Join(photos, filepath.FromSlash(name))))
	}
	mustRun(t, library, engine, everything)
	for _, path := range all {
		hasTag(t, library, path)
	}
	// Globs leave out what is in, too.
	everything.Exclude = []string{"deep"}
	if summary := mustRun(t, library, engine, everything); summary.Excluded != 4 || summary.Removed != 0 {
		t.Errorf("with a glob: %+v", summary)
	}
	// A folder that is named is taken, whatever its name.
	if summary := mustRun(t, library, engine, Options{Paths: []string{filepath.Join(photos, "#recycle")}}); summary.Seen != 1 || summary.Excluded != 0 {
		t.Errorf("named: %+v", summary)
	}
}

// TestWatchedRules: rules that come and go while watching hold at once.
func TestWatchedRules(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	a := write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	b := write(t, testImage(t, 2, 20, 20), photos, "sub", "b.jpg")
	w := startWatch(t, openLibrary(t, filepath.Join(folder, "library")), newCounting("one"), Options{Paths: []string{photos}})
	w.wait("start", a, b)
	rule := write(t, nil, photos, "sub", rules.NoMediaName)
	w.wait("no media", a)
	must(t, os.Remove(rule))
	w.wait("media", a, b)
	write(t, []byte("sub\n"), photos, rules.IgnoreName)
	w.wait("ignored", a)
	write(t, testImage(t, 3, 20, 20), photos, "sub", "c.jpg")
	d := write(t, testImage(t, 4, 20, 20), photos, "d.jpg")
	w.wait("beside what is ignored", a, d)
}

// TestIgnoreFilesAreGits compares ignore files with what git makes of them.
func TestIgnoreFilesAreGits(t *testing.T) {
	patterns := []string{
		"*.jpg", "a", "a/", "/a", "a/b", "/a/b/", "**/b", "a/**", "a/**/b", "**/a/b", "*", "!a", "!*.png", "b?", "[ab]", "[!a]", "[a-b].jpg", "a*b",
		`\#x`, `\!x`, "#x", "!x", "x ", `x\ `, "a b", "(1).jpg", "a+b.jpg", "*.", ".*", "a/*.jpg", "a/b/*", "!a/b/", "/*", "!/a", "**", "a**b", "[", "",
	}
	paths := []string{
		"a", "a/b", "a/b/c.jpg", "a/c.jpg", "b", "b/a", "b/a/b", "x", "x ", "#x", "!x", "a b", "(1).jpg", "a+b.jpg", "c.jpg", "c.png", "a/c.png", ".b",
		"ba", "ab", "acb", "d/a", "d/a/b", "a/d/b", "a/d/e/b", "x/c.jpg",
	}
	for _, folders := range []bool{true, false} {
		root := t.TempDir()
		var asked []string
		for _, path := range paths {
			above := slices.ContainsFunc(paths, func(other string) bool { return strings.HasPrefix(other, path+"/") })
			switch full := filepath.Join(root, filepath.FromSlash(path)); {
			case folders:
				must(t, os.MkdirAll(full, 0o755))
			case above:
				continue
			default:
				write(t, nil, full)
			}
			asked = append(asked, path)
		}
		git := func(input string, arguments ...string) []string {
			command := exec.Command("git", append([]string{"-C", root, "-c", "core.excludesFile=/dev/null"}, arguments...)...)
			command.Stdin = strings.NewReader(input)
			output, err := command.Output()
			if exit, failed := err.(*exec.ExitError); err != nil && (!failed || exit.ExitCode() != 1) { // 1: none is ignored
				t.Skipf("git: %v", err)
			}
			return strings.FieldsFunc(string(output), func(r rune) bool { return r == 0 })
		}
		git("", "init", "-q")
		for i, first := range patterns {
			for _, second := range []string{"", patterns[(i*7+3)%len(patterns)], patterns[(i*5+11)%len(patterns)]} {
				lines := first + "\n" + second + "\n"
				write(t, []byte(lines), root, ".gitignore")
				want := git(strings.Join(asked, "\x00"), "check-ignore", "-z", "--no-index", "--stdin")
				parsed, err := rules.ParsePatterns(strings.NewReader(lines), "")
				must(t, err)
				rules, got := &rules.Ignoring{Patterns: parsed}, []string{}
				for _, path := range asked {
					if leftOut(rules, path, folders) {
						got = append(got, path)
					}
				}
				if !slices.Equal(want, got) {
					t.Errorf("folders %v, %q: %s", folders, lines, cmp.Diff(want, got))
				}
			}
		}
	}
}

// leftOut reports whether a path is left out, or a folder above it.
func leftOut(rules *rules.Ignoring, path string, folder bool) bool {
	for at := range path {
		if path[at] == '/' && rules.Excludes(path[:at], true) {
			return true
		}
	}
	return rules.Excludes(path, folder)
}

// TestOtherKindsAreCounted: what is passed over is counted by kind; a file without an
// extension is looked at if that is wanted.
func TestOtherKindsAreCounted(t *testing.T) {
	folder := t.TempDir()
	photos := filepath.Join(folder, "photos")
	write(t, testImage(t, 1, 20, 20), photos, "a.jpg")
	write(t, testImage(t, 2, 20, 20), photos, "deep", "IMG_0001")
	for _, name := range []string{"b.PSD", "deep/c.psd", "d.dng9", "notes", "a.jpg.xmp", "lost.xmp", "Thumbs.db", ".hidden.psd", "@eaDir/x.psd"} {
		write(t, []byte("not a picture"), photos, filepath.FromSlash(name))
	}
	raw := append([]byte("IIRO\x08\x00\x00\x00"), make([]byte, 2*rules.SniffedBytes)...) // its preview lies behind its beginning
	write(t, append(raw, testImage(t, 3, 20, 20)...), photos, "deep", "P0000001")
	library, engine := openLibrary(t, filepath.Join(folder, "library")), newCounting("one")
	for _, test := range []struct {
		noExtension bool
		want        map[string]int
		seen        int
	}{
		{false, map[string]int{".psd": 2, ".dng9": 1, "": 3, ".xmp": 1}, 1},
		{true, map[string]int{".psd": 2, ".dng9": 1, "": 1, ".xmp": 1}, 3},
	} {
		summary, err := Run(t.Context(), library, engine, Options{Paths: []string{photos}, NoExtension: test.noExtension})
		must(t, err)
		if diff := cmp.Diff(test.want, summary.PassedOver); diff != "" || summary.Seen != test.seen || summary.Failed > 0 {
			t.Errorf("seen %d, failed %d, passed over %s", summary.Seen, summary.Failed, diff)
		}
	}
}

// FuzzIgnoreFiles: no ignore file and no path makes the rules fail.
func FuzzIgnoreFiles(f *testing.F) {
	f.Add("*.jpg\n!a/**/b\n[a-\n\\", "a/b/c.jpg", "a/")
	f.Fuzz(func(_ *testing.T, lines, path, domain string) {
		patterns, _ := rules.ParsePatterns(strings.NewReader(lines), domain)
		(&rules.Ignoring{Patterns: patterns}).Excludes(path, len(path)%2 == 0)
	})
}
