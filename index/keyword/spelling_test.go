package keyword

import (
	"slices"
	"testing"
)

// TestSpellings: a word that no document has, by the words like it that documents have.
func TestSpellings(t *testing.T) {
	x, err := OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	documents := []Document{
		{ID: 1, Kind: "image", Captions: []string{"a giraffe beside a hamburger"}},
		{ID: 2, Kind: "image", Captions: []string{"two Giraffes"}, Labels: []string{"Lighthouse"}},
		{ID: 3, Kind: "image", Captions: []string{"a boat on a lake"}, Names: []string{"Café/IMG_12.jpg"}},
		{ID: 4, Kind: "image", Captions: []string{"a goat"}},
		{ID: 5, Kind: "image", Captions: []string{"a zebra"}},
	}
	if err := x.Apply(t.Context(), 1, documents, nil); err != nil {
		t.Fatal(err)
	}
	if err := x.Apply(t.Context(), 2, nil, []uint64{5}); err != nil {
		t.Fatal(err)
	}
	reader, err := x.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for word, want := range map[string][]string{
		"girafe": {"giraffe"}, "girafes": {"giraffes"}, "hambuger": {"hamburger"}, "lighthuose": {"lighthouse"}, "giraffe": nil, "giraffes": nil, "boot": {"boat"},
		"goet": {"goat"}, "coat": nil /* begins otherwise */, "bot": nil, "zebre": nil /* gone */, "hmburgr": nil /* too short for two */, "lake2": nil, "caffe": {"café"},
		"the": nil, "": nil, "two words": nil, "東京": nil, "xyzzyplugh": nil,
	} {
		found, err := reader.Spellings(t.Context(), word)
		if err != nil {
			t.Fatal(err)
		}
		var written []string
		for _, one := range found {
			written = append(written, one.Meant(word, func(id uint64) *Document {
				return &documents[slices.IndexFunc(documents, func(d Document) bool { return d.ID == id })]
			}))
		}
		if len(written) > 0 && len(want) > 0 && slices.Contains(want, written[0]) {
			continue
		}
		if len(written)+len(want) > 0 {
			t.Errorf("%q: %q, want one of %q", word, written, want)
		}
	}
}

func BenchmarkSpellings(b *testing.B) {
	x, err := OpenMemory()
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	var documents []Document
	letters := "abcdefghijklmnopqrstuvwxyz"
	for i := range 20_000 {
		word := []byte("gira")
		for n := i; len(word) < 9; n /= 26 {
			word = append(word, letters[n%26])
		}
		documents = append(documents, Document{ID: uint64(i + 1), Kind: "image", Captions: []string{string(word)}})
	}
	if err := x.Apply(b.Context(), 1, documents, nil); err != nil {
		b.Fatal(err)
	}
	reader, err := x.Reader()
	if err != nil {
		b.Fatal(err)
	}
	defer reader.Close()
	for b.Loop() {
		if _, err := reader.Spellings(b.Context(), "girafabbx"); err != nil {
			b.Fatal(err)
		}
	}
}
