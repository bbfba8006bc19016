package evaluate

import (
	"testing"

	"mekiki/embed"
	"mekiki/embed/builtin"
	"mekiki/embed/manifest"
	"mekiki/search/evaluate/datasets"
)

// gallerySource is a sample of the gallery's half for choosing, not for reporting.
func gallerySource(t *testing.T) Source {
	t.Helper()
	files := builtin.Gallery()
	dataset, err := datasets.ReadAnnotations(files, "annotations.json")
	if err != nil {
		t.Fatal(err)
	}
	return Source{Files: files, Dataset: dataset}
}

// TestPointing: both maps of the built-in model point at what a text names, far above
// chance and above the centre of the picture.
func TestPointing(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a few thousand runs")
	}
	engine := builtinEngine(t, manifest.Float32)
	report, err := Pointing(t.Context(), engine, gallerySource(t), Options{Splits: []string{"val"}, Sample: 12})
	if err != nil {
		t.Fatal(err)
	}
	set := report.Several
	if report.Images != 12 || set.Texts < 20 || set.Chance < 5 || set.Chance > 25 {
		t.Errorf("%d images, %d texts, chance %g %%", report.Images, set.Texts, set.Chance)
	}
	if len(set.Methods) != 2 {
		t.Fatalf("methods %v", set.Methods)
	}
	for _, method := range set.Methods {
		if method.Hits.Percent < 80 || method.Hits.Percent < 2*set.Centre.Percent || method.Others.Percent > 15 || method.Inside < 45 {
			t.Errorf("%s points at it in %g %% (at the centre %g %%), at another kind in %g %%, %g %% inside",
				method.Method, method.Hits.Percent, set.Centre.Percent, method.Others.Percent, method.Inside)
		}
	}
}

// TestPointingSides: where one kind is in the left half of a picture and another one in
// the right half, the maps of the two texts peak on their sides.
func TestPointingSides(t *testing.T) {
	if testing.Short() {
		t.Skip("reads a part of the gallery")
	}
	engine := builtinEngine(t, manifest.Float32)
	source := gallerySource(t)
	truth, err := datasets.ReadTruth(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	cases, _, err := pointingCases(t.Context(), engine, source, truth, Options{Splits: []string{"val"}, Progress: func(string, int, int) {}})
	if err != nil {
		t.Fatal(err)
	}
	right, all := 0, 0
	for _, one := range cases {
		side, clear := sideOf(one.named, one.width)
		other, clearToo := sideOf(one.others, one.width)
		if !clear || !clearToo || side == other {
			continue
		}
		found, err := engine.Locate(t.Context(), one.tokens, one.text, embed.LocateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, column, some := found.Peak()
		all++
		if some && (2*column < found.Columns) == (side == 0) {
			right++
		}
	}
	if all < 30 || float64(right) < 0.9*float64(all) {
		t.Errorf("%d of %d maps peak on the side of what they show", right, all)
	}
}

// sideOf is the half of the picture that all boxes lie in: 0 is left. It is false where
// they lie in both.
func sideOf(boxes []datasets.Box, width int) (side int, clear bool) {
	for i, box := range boxes {
		half := 0
		switch {
		case 2*box[0] >= width:
			half = 1
		case 2*box[2] > width:
			return 0, false
		}
		if i > 0 && half != side {
			return 0, false
		}
		side = half
	}
	return side, len(boxes) > 0
}

func TestPointingJudge(t *testing.T) {
	one := pointingCase{named: []datasets.Box{{0, 0, 10, 10}}, others: []datasets.Box{{30, 0, 40, 10}}, width: 40, height: 20}
	for _, test := range []struct {
		values []float32
		want   pointed
	}{
		{[]float32{1, 0, 0, 1, 0, 0, 0, 0}, pointed{hit: true, inside: 0.5}},
		{[]float32{0.5, 0, 0, 1, 0, 0, 0, 0.5}, pointed{other: true, inside: 0.25}},
		{[]float32{0, 0, 0, 0, 0, 0, 0, 0}, pointed{}},
		{[]float32{0, 1, 0, 0, 0, 0, 0, 0}, pointed{}},
	} {
		if got := one.judge(embed.Map{Rows: 2, Columns: 4, Values: test.values}); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.values, got, test.want)
		}
	}
	if covered := one.covered(); covered != 0.125 {
		t.Errorf("covered %g, want 0.125", covered)
	}
}
