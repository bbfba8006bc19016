package keyword

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSplitName(t *testing.T) {
	for name, want := range map[string]string{
		"/photos/Kyoto2024/IMG_0042RedGate.jpg": "Kyoto 2024 IMG 0042 Red Gate jpg",
		"HTTPServer.png":                        "HTTP Server png",
		"夏休み/海2.jpg":                            "夏休み 海 2 jpg",
		"a/b/ÉtéÀParis.webp":                    "b Été À Paris webp",
		`C:\Pictures\dog.png`:                   "Pictures dog png",
		"":                                      "",
	} {
		if got := splitName(name); got != want {
			t.Errorf("splitName(%q) = %q, want %q", name, got, want)
		}
	}
}

func testDocuments() []Document {
	north, east := 35.0, 135.7
	return []Document{
		{ID: 1, Kind: "image", Captions: []string{"two dogs running on the beach"}, Names: []string{"/p/IMG_1.jpg"}, Tags: []string{"Holiday"}, Labels: []string{"Holiday"}, Format: "jpeg", Date: time.Unix(1000, 0), Camera: "Canon EOS R5", Folders: []string{"/p", "p"}},
		{ID: 2, Kind: "image", Captions: []string{"赤い鳥居と猫"}, Title: "京都の神社", Format: "png", Date: time.Unix(2000, 0), Latitude: &north, Longitude: &east},
		{ID: 3, Kind: "text", Text: "a dog's dinner <b> & more", Values: []string{"sku-9"}},
		{ID: 4, Kind: "image", Captions: []string{"a man on the moon"}, Labels: []string{"moon"}},
	}
}

func ids(t *testing.T, x *Index, q Query) []uint64 {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 10
	}
	hits, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	found := []uint64{}
	for _, hit := range hits {
		found = append(found, hit.ID)
	}
	return found
}

func TestSearch(t *testing.T) {
	x, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if err := x.Apply(t.Context(), 7, testDocuments(), nil); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		query Query
		want  []uint64
	}{
		{Query{Words: "running"}, []uint64{1}},
		{Query{Words: "run"}, []uint64{1}},
		{Query{Words: "moon"}, []uint64{4}},
		{Query{Words: "猫"}, []uint64{2}},
		{Query{Words: "鳥居"}, []uint64{2}},
		{Query{Phrases: []string{"京都の神社"}}, []uint64{2}},
		{Query{Words: "sku-9"}, []uint64{3}},
		{Query{Words: "the"}, []uint64{}},
		{Query{Words: ""}, []uint64{}},
		{Query{Phrases: []string{"man on the moon"}}, []uint64{4}},
		{Query{Phrases: []string{"moon man"}}, []uint64{}},
		{Query{Words: "dog", Exclude: []string{"beach"}}, []uint64{3}},
		{Query{Words: "dog", Filter: Filter{Kinds: []string{"image"}}}, []uint64{1}},
		{Query{Words: "dog", Filter: Filter{Tags: []string{"holiday"}}}, []uint64{1}},
		{Query{Words: "dog", Filter: Filter{Cameras: []string{"eos"}}}, []uint64{1}},
		{Query{Words: "dog", Filter: Filter{Folders: []string{"p"}}}, []uint64{1}},
		{Query{Words: "dog", Filter: Filter{Formats: []string{"png"}}}, []uint64{}},
		{Query{Words: "dog", Filter: Filter{After: time.Unix(1001, 0)}}, []uint64{}},
		{Query{Words: "猫", Filter: Filter{Near: &Circle{35.1, 135.7, 20}}}, []uint64{2}},
		{Query{Words: "猫", Filter: Filter{Near: &Circle{36, 135.7, 20}}}, []uint64{}},
		{Query{Words: "dog", Filter: Filter{IDs: []uint64{3, 4}}}, []uint64{3}},
	} {
		if diff := cmp.Diff(test.want, ids(t, x, test.query)); diff != "" {
			t.Errorf("%+v:\n%s", test.query, diff)
		}
	}
}

func TestFragmentsAreEscapedAndMarked(t *testing.T) {
	x, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	documents := testDocuments()
	if err := x.Apply(t.Context(), 1, documents, nil); err != nil {
		t.Fatal(err)
	}
	hits, err := x.Search(t.Context(), Query{Words: "dogs dinner", Limit: 1, Matches: true})
	if err != nil || len(hits) != 1 || hits[0].ID != 3 {
		t.Fatalf("%+v, %v", hits, err)
	}
	got := documents[2].Fragments(hits[0].Matches)["text"]
	want := []string{"a <mark>dog&#39;s</mark> <mark>dinner</mark> &lt;b&gt; &amp; more"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Matches of another text must not cut this one wrongly.
	other := Document{Text: "短い"}
	if fragments := other.Fragments(hits[0].Matches); len(fragments) > 0 {
		t.Errorf("fragments of another text: %v", fragments)
	}
}

func TestEmptyIndexIsUsableAgain(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "keyword")
	index, err := Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := index.Close(); err != nil {
			t.Fatal(err)
		}
		if index, err = Open(folder); err != nil {
			t.Fatal(err)
		}
	}
	if sequence, err := index.Sequence(); err != nil || sequence != 0 {
		t.Errorf("sequence %d, %v", sequence, err)
	}
	if err := index.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestScoresDoNotDependOnHistory compares an index that grew, changed and shrank
// with one that was built at once.
func TestScoresDoNotDependOnHistory(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "keyword")
	grown, err := Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	for id := uint64(10); id < 60; id++ {
		document := Document{ID: id, Kind: "image", Captions: []string{"a dog on a beach with a moon and many more words than usual"}}
		if err := grown.Apply(t.Context(), id, []Document{document}, nil); err != nil {
			t.Fatal(err)
		}
	}
	var removes []uint64
	for id := uint64(10); id < 60; id++ {
		removes = append(removes, id)
	}
	if err := grown.Apply(t.Context(), 61, testDocuments(), removes); err != nil {
		t.Fatal(err)
	}
	if err := grown.Close(); err != nil {
		t.Fatal(err)
	}
	if grown, err = Open(folder); err != nil {
		t.Fatal(err)
	}
	defer grown.Close()
	if sequence, err := grown.Sequence(); err != nil || sequence != 61 {
		t.Errorf("sequence %d, %v", sequence, err)
	}
	fresh, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if err := fresh.Apply(t.Context(), 61, testDocuments(), nil); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"dog", "moon beach", "猫 dog"} {
		query := Query{Words: words, Limit: 10, Matches: true}
		a, err := grown.Search(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fresh.Search(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, a); diff != "" {
			t.Errorf("%q:\n%s", words, diff)
		}
	}
}
