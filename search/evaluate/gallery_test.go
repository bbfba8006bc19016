package evaluate

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/embed/builtin"
	"mekiki/embed/manifest"
	"mekiki/index/local"
	"mekiki/search"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/scoring"
)

var update = flag.Bool("update", false, "write the ranking files anew")

// galleryQueries are of every kind that people type.
func galleryQueries() []string {
	return []string{
		// What pictures show, tersely and in full.
		"two cats", "a bicycle", "a red apple", "a fire truck", "a snake and a hammer", "two eggs in a pan on a wooden table",
		"a moon and a laptop on white paper", "three envelopes and two green books", "a birthday cake with candles",
		"a penguin and a bat at night", "a rainbow above some cheese", "a sailboat next to a ringed planet",
		// Words and forms that captions do not use.
		"a nocturnal flyer", "two security latches", "something to eat", "any vehicle", "a feline", "show me musical instruments",
		// Several clauses, unwanted things, phrases, filters.
		"a cat; a pizza", "a bicycle; two gold medals", "a snake -hammer", "cheese -rainbow", "a book -(a green book)",
		`"birthday cake"`, `cake -"birthday cake"`, "cake type:webp", `boat camera:"Leica Q2"`, "flower -bee; grass",
		// Names and metadata.
		"rainbow-cheese-0050", "Kyoto 12", "nikon z6", "lisbon",
		// What nothing answers.
		"asdf qwer zxcv", "the quarterly report is due on friday", "a man in a suit", "a swimming pool", "tax return documents",
	}
}

// TestGalleryRankings holds the answers to the files of testdata/rankings, so
// that a change of ranking is seen in review. Write them anew with:
// go test ./search/evaluate -run GalleryRankings -update.
func TestGalleryRankings(t *testing.T) {
	if testing.Short() {
		t.Skip("indexes the gallery")
	}
	searcher := gallerySearcher(t)
	folder := filepath.Join("testdata", "rankings")
	if *update {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, query := range galleryQueries() {
		var got bytes.Buffer
		if err := writeRanking(t.Context(), &got, searcher, query, 10); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder, rankingFileName(query))
		if *update {
			if err := os.WriteFile(name, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s differs: %s", name, diff)
		}
	}
}

// gallerySearcher indexes the gallery with the built-in model in float32, whose
// rounding differs little between processors.
func gallerySearcher(t *testing.T) *search.Searcher {
	t.Helper()
	library, engine, options := galleryLibrary(t)
	searcher, err := search.New(library, engine, options)
	if err != nil {
		t.Fatal(err)
	}
	return searcher
}

// galleryLibrary is the gallery, indexed, with what searches it.
func galleryLibrary(t *testing.T) (*local.Library, *embed.Engine, search.Options) {
	t.Helper()
	engine := builtinEngine(t, manifest.Float32)
	calibration, err := scoring.ParseCalibration(engine.Manifest().Calibration)
	if err != nil {
		t.Fatal(err)
	}
	dataset, err := datasets.ReadAnnotations(builtin.Gallery(), "annotations.json")
	if err != nil {
		t.Fatal(err)
	}
	library, err := local.Open(t.Context(), t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { library.Close() })
	targets := []target{{library: library, names: NamesOwn}}
	if _, err := build(t.Context(), targets, engine, builtin.Gallery(), dataset, nil); err != nil {
		t.Fatal(err)
	}
	return library, engine, search.Options{Calibration: &calibration}
}
