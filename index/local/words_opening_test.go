package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/index/indextest"
	"mekiki/index/local/catalog"
)

// TestWordsAreOpenedInTheBackground: with a keyword index that is opened in the background, a search
// waits and finds what it found before; so do commits and readers. Closing at once loses
// nothing, and a damaged or missing index is built anew.
func TestWordsAreOpenedInTheBackground(t *testing.T) {
	folder, options := filepath.Join(t.TempDir(), "library"), Options{openedBefore: -1}
	library := openTest(t, folder, options)
	fillWords(t, library, 200)
	snapshot := library.Snapshot()
	want := wordAnswers(t, snapshot)
	indextest.Must(t, snapshot.Close())
	indextest.Must(t, library.Close())
	derived := filepath.Join(folder, catalog.DerivedFolder, "keyword")
	for name, before := range map[string]func(){
		"as it was": func() {},
		"missing":   func() { indextest.Must(t, os.RemoveAll(derived)) },
		"damaged": func() {
			flipped := 0
			indextest.Must(t, filepath.WalkDir(derived, func(path string, entry os.DirEntry, err error) error {
				if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".zap") {
					return err
				}
				data, err := os.ReadFile(path)
				if err == nil && len(data) > 0 {
					data[len(data)/2] ^= 1
					flipped++
					err = os.WriteFile(path, data, 0o644)
				}
				return err
			}))
			if flipped == 0 {
				t.Error("there is nothing to damage")
			}
		},
		"closed at once": func() {
			indextest.Must(t, os.RemoveAll(derived))
			for range 3 {
				library, err := Open(t.Context(), folder, options)
				indextest.Must(t, err)
				indextest.Must(t, library.Close())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			before()
			library, err := Open(t.Context(), folder, options)
			indextest.Must(t, err)
			reader, err := Open(t.Context(), folder, Options{ReadOnly: true, openedBefore: -1})
			indextest.Must(t, err)
			for who, one := range map[string]*Library{"writer": library, "reader": reader} {
				snapshot := one.Snapshot()
				if diff := cmp.Diff(want, wordAnswers(t, snapshot)); diff != "" {
					t.Errorf("%s:\n%.500s", who, diff)
				}
				indextest.Must(t, snapshot.Close())
			}
			report, err := library.Check(t.Context())
			if err != nil || len(report.Findings) > 0 {
				t.Errorf("%v, %v", report.Findings, err)
			}
			indextest.Must(t, reader.Close())
			indextest.Must(t, library.Close())
		})
	}
	// A commit that comes before the index is open.
	library = openTest(t, folder, options)
	changeWords(t, library, 200)
	snapshot = library.Snapshot()
	defer snapshot.Close()
	if found := wordAnswers(t, snapshot)["new"]; len(found) == 0 {
		t.Error("a new word is not found")
	}
}
