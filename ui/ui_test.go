package ui

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// readAll reads the page's files, by their names.
func readAll(t *testing.T) map[string]string {
	t.Helper()
	files, err := Files()
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		texts[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

var (
	address    = regexp.MustCompile(`(?:src|href|action)="([^"]+)"`)
	script     = regexp.MustCompile(`(?s)<script[^>]*>(.*?)</script>`)
	styled     = regexp.MustCompile(`<style|\sstyle=|\son\w+=`)
	imported   = regexp.MustCompile(`(?:from|import)\s*\(?["'` + "`" + `]([^"'` + "`" + `]+)["'` + "`" + `]`)
	parsesHTML = regexp.MustCompile(`\.(?:innerHTML|outerHTML)\s*=[^=]|insertAdjacentHTML|document\.write|\beval\(|new Function\(`)
)

// TestPageIsWhole: every file that the page names is there, by an address from the root, and no file lies about that
// nothing names.
func TestPageIsWhole(t *testing.T) {
	texts := readAll(t)
	named := map[string]bool{"index.html": true}
	for _, match := range address.FindAllStringSubmatch(texts["index.html"], -1) {
		if match[1] == "/" {
			continue
		}
		name, absolute := strings.CutPrefix(match[1], "/")
		if _, there := texts[name]; !there || !absolute {
			t.Errorf("index.html names %s, which is not there", match[1])
		}
		named[name] = true
	}
	for from, text := range texts {
		if path.Ext(from) != ".js" {
			continue
		}
		for _, match := range imported.FindAllStringSubmatch(text, -1) {
			name := path.Join(path.Dir(from), match[1])
			if _, there := texts[name]; !there {
				t.Errorf("%s imports %s, which is not there", from, match[1])
			}
			named[name] = true
		}
	}
	for name := range texts {
		if !named[name] {
			t.Errorf("nothing names %s", name)
		}
	}
}

// TestPageFitsItsPolicy: the content security policy forbids what stands in a page itself to run, and text is never
// parsed as HTML.
func TestPageFitsItsPolicy(t *testing.T) {
	texts := readAll(t)
	for _, match := range script.FindAllStringSubmatch(texts["index.html"], -1) {
		if match[1] != "" {
			t.Errorf("a script stands in the page: %s", match[1])
		}
	}
	if found := styled.FindString(texts["index.html"]); found != "" {
		t.Errorf("the page has %q", found)
	}
	for name, text := range texts {
		if path.Ext(name) == ".js" && parsesHTML.MatchString(text) {
			t.Errorf("%s has %q", name, parsesHTML.FindString(text))
		}
	}
}

// mostScript is what a browser may have to load of script before the page works, compressed.
const mostScript = 100_000

// TestPageIsSmall: the script that index.html names, and what it loads at once, is small, and Japanese is not in it.
func TestPageIsSmall(t *testing.T) {
	texts := readAll(t)
	total := 0
	for _, match := range address.FindAllStringSubmatch(texts["index.html"], -1) {
		name := strings.TrimPrefix(match[1], "/")
		if path.Ext(name) != ".js" {
			continue
		}
		if strings.Contains(texts[name], "検索") {
			t.Errorf("%s speaks Japanese", name)
		}
		var compressed bytes.Buffer
		writer := gzip.NewWriter(&compressed)
		if _, err := writer.Write([]byte(texts[name])); err != nil {
			t.Fatal(err)
		}
		if err := writer.Close(); err != nil {
			t.Fatal(err)
		}
		total += compressed.Len()
	}
	t.Logf("%d bytes of script, compressed", total)
	if total == 0 || total > mostScript {
		t.Errorf("%d bytes of script at first, want 1 to %d", total, mostScript)
	}
}
