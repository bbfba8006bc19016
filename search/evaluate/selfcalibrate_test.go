package evaluate

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"

	"mekiki/index/local"
	"mekiki/search/scoring"
)

// TestSelfCalibrate fits the scoring model on a library whose pictures have nothing but
// the captions that the model wrote.
func TestSelfCalibrate(t *testing.T) {
	library, err := local.Open(t.Context(), t.TempDir(), local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	add := func(source Source) {
		t.Helper()
		if _, err := build(t.Context(), []target{{library: library}}, colourEngine{}, source.Files, source.Dataset, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := SelfCalibrate(t.Context(), library, colourEngine{}, CalibrateOptions{}); !errors.Is(err, ErrNoCaptions) {
		t.Errorf("an empty library gives %v", err)
	}
	source := colourSource(t)
	add(source)
	if _, err := SelfCalibrate(t.Context(), library, colourEngine{}, CalibrateOptions{}); !errors.Is(err, ErrFewCaptions) {
		t.Errorf("six pictures give %v", err)
	}
	// Bytes behind the end of a PNG make other files of the same pictures; they take the
	// paths of the first six.
	files := fstest.MapFS{}
	more := Source{Files: files}
	for number := range 9 {
		for _, image := range source.Dataset.Images {
			data := source.Files.(fstest.MapFS)[image.Path].Data
			image.Path = fmt.Sprintf("%d-%s", number, image.Path)
			files[image.Path] = &fstest.MapFile{Data: append(slices.Clone(data), byte(number))}
			more.Dataset.Images = append(more.Dataset.Images, image)
		}
	}
	add(more)
	fitted, err := SelfCalibrate(t.Context(), library, colourEngine{}, CalibrateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c := fitted.Calibration; c.Version != scoring.CalibrationVersion || c.Images != 54 || c.Weights[scoring.FeatureITM] <= 0 || c.Weights[scoring.FeatureWords] != 0 || c.Name != scoring.DefaultCalibration().Name {
		t.Errorf("fitted %+v", c)
	}
	if fitted.Images != 54 || fitted.Fitted != 27 || fitted.HeldOut != 27 || fitted.After.First != 100 || fitted.After.LogLoss > 0.05 || fitted.After.StrongPrecision != 100 {
		t.Errorf("got %+v", fitted)
	}
}

func TestPiecesOfCaptions(t *testing.T) {
	for caption, want := range map[string][]string{
		"a red book, and two dogs on the grass": {"red book", "two dogs", "grass"},
		"a photo of a cat":                      nil, // the rest says that it is one
		"a red book":                            nil,
		"":                                      nil,
	} {
		if got := piecesOf(caption); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", caption, got, want)
		}
	}
}
