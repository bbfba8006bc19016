package words

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/index"
)

func TestNameWords(t *testing.T) {
	record := &index.Record{
		Kind:  index.KindImage,
		Files: []index.File{{Path: filepath.FromSlash("/home/user/Archive/Kyoto 2019/autumn-leaves.jpg")}},
		Tags:  []string{"Family"}, Captions: []index.Caption{{Text: "a zeppelin"}},
		Metadata: index.Metadata{Camera: "Nikon Z6", Title: "Temple"},
	}
	for text, want := range map[string]float64{
		"kyoto": 1, "2019": 1, "autumn leaves": 1, "archive": 1, "family": 1, "nikon z6": 1, "temples": 1, "zeppelin": 0, "home user": 0,
		"photos of the temple in Kyoto, by night": 2.0 / 3, "autumn zeppelin": 0.5,
	} {
		if got := NewFinder([]string{text}).Shares(record, 1)[0].Named; math.Abs(got-want) > 1e-9 {
			t.Errorf("%q: %v of it are names, want %v", text, got, want)
		}
	}
	got := NewFinder([]string{"zeppelin temples", "autumn zeppelin", "zeppelin temple"}).Shares(record, 2)
	want := []Shares{{All: 1, Named: 0.5}, {All: 1, Named: 0.5}, {All: 0.5}} // what is unwanted is looked for in captions
	if !slices.Equal(got, want) {
		t.Errorf("captions and names say %v, want %v", got, want)
	}
}

func BenchmarkFinder(b *testing.B) {
	record := &index.Record{
		Files:    []index.File{{Path: "/home/user/Pictures/Archive/Kyoto 2019/IMG_20190504_1201.jpg"}},
		Captions: []index.Caption{{Text: "a photo of a couple of drums, a motorcycle, and a tropical pineapple on a desk"}},
	}
	finder := NewFinder([]string{"two drums and a tropical pineapple on a wooden table"})
	for b.Loop() {
		finder.Shares(record, 1)
	}
}

// TestNamesOfHigherFolders: a word counts the less the higher its folder stands, and
// without its accents.
func TestNamesOfHigherFolders(t *testing.T) {
	record := &index.Record{Files: []index.File{{
		Path: filepath.FromSlash("/srv/pictures/Café/Italy/y/x/Rome/raw/Day 3/x1.webp"), RootLength: len("/srv/pictures"),
	}}}
	for text, want := range map[string]float64{
		"x1": 1, "day": 1, "raw": 1, "rome": 0.9, "y": 0.7, "italy": 0.6, "cafe": 0.6, "CAFÉ": 0.6, "cafe\u0301": 0.6, "rome 3": 0.95, "srv": 0, "dog": 0,
	} {
		if got := NewFinder([]string{text}).Shares(record, 1)[0].Named; got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%q counts %v, want %v", text, got, want)
		}
	}
}

// TestNamesOfGenerators: what a program should make counts, what it should not does not.
func TestNamesOfGenerators(t *testing.T) {
	for generation, want := range map[string]map[string]float64{
		"an otter on ice Negative prompt: blurry, hands Steps: 20, Sampler: Euler a": {"otter": 0.8, "otter ice": 0.8, "euler": 0.8, "blurry": 0, "otter hands": 0.4},
		"an otter Negative prompt: blurry":                                           {"otter": 0.8, "blurry": 0},
		"an otter seed: 5":                                                           {"otter": 0.8, "5": 0.8},
	} {
		record := &index.Record{Metadata: index.Metadata{Generation: generation}}
		for text, want := range want {
			if got := NewFinder([]string{text}).Shares(record, 1)[0].Named; got < want-1e-9 || got > want+1e-9 {
				t.Errorf("%s: %q counts %v, want %v", generation, text, got, want)
			}
		}
	}
}
