package searchverbs

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/search/scoring"
)

func TestCalibrateTakesItsFile(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct {
		given     []string
		calibrate string
		left      []string
		file      string
	}{
		{[]string{"out.json"}, ownFile, nil, "out.json"},
		{[]string{"captions.json", folder, "out.json"}, ownFile, []string{"captions.json", folder}, "out.json"},
		{[]string{"out.json", "captions.json", folder}, ownFile, []string{"captions.json", folder}, "out.json"},
		{nil, ownFile, nil, ownFile},
		{[]string{"captions.json", folder}, "out.json", []string{"captions.json", folder}, "out.json"},
		{[]string{"captions.json"}, "", []string{"captions.json"}, ""},
	} {
		flags := evalFlags{calibrate: c.calibrate}
		if left := flags.takeFile(c.given); !slices.Equal(left, c.left) || flags.calibrate != c.file {
			t.Errorf("%q: %q are left and the file is %q", c.given, left, flags.calibrate)
		}
	}
}

func TestCalibrationIsWrittenWhole(t *testing.T) {
	name := filepath.Join(t.TempDir(), "calibration", "model.json")
	want := scoring.DefaultCalibration()
	want.Version = scoring.CalibrationVersion
	for range 2 {
		if err := writeCalibration(name, want); err != nil {
			t.Fatal(err)
		}
		data, err := cli.ReadCalibration(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := scoring.ParseCalibration(data); err != nil || got != want {
			t.Errorf("read %+v, %v", got, err)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(name)); err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}
