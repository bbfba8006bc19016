package pixels

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fileCase is a line of what train/fixtures/pixels_files.py writes.
type fileCase struct {
	Name      string
	Tolerance int     // largest difference of one byte
	Mean      float64 // largest mean difference
}

func readFileCases(t testing.TB) []fileCase {
	t.Helper()
	data, err := os.ReadFile("testdata/files/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []fileCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "files", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// samples returns a file of each format but RAW, whose files the tests make, and
// fails for a format that has none.
func samples(t testing.TB) map[Format][]byte {
	t.Helper()
	found := map[Format][]byte{RAW: nil}
	for _, c := range readFileCases(t) {
		data := readFile(t, c.Name)
		if format, err := sniff(data); err == nil && found[format] == nil {
			found[format] = data
		}
	}
	for _, format := range Formats() {
		if _, ok := found[format]; !ok {
			t.Fatalf("there is no file of %s", format)
		}
	}
	delete(found, RAW)
	return found
}

// difference returns the largest and the mean difference of two images.
func difference(a, b *Image) (largest int, mean float64) {
	sum := 0
	for i, value := range a.Pix {
		d := int(value) - int(b.Pix[i])
		d = max(d, -d)
		largest, sum = max(largest, d), sum+d
	}
	return largest, float64(sum) / float64(len(a.Pix))
}

func TestDecodeEqualsPillow(t *testing.T) {
	cases := readFileCases(t)
	if len(cases) < 60 {
		t.Fatalf("only %d files", len(cases))
	}
	decoder, err := NewDecoder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			data := readFile(t, c.Name)
			got, err := decoder.Decode(context.Background(), data)
			if err != nil {
				t.Fatal(err)
			}
			want := readImage(t, "want/"+strings.ReplaceAll(c.Name, ".", "_")+".png")
			if got.Width != want.Width || got.Height != want.Height {
				t.Fatalf("got %dx%d, want %dx%d", got.Width, got.Height, want.Width, want.Height)
			}
			largest, mean := difference(got, want)
			t.Logf("largest difference %d, mean %.3f", largest, mean)
			if largest > c.Tolerance || mean > c.Mean {
				t.Errorf("differs by up to %d and %.3f on average; %d and %.3f are allowed", largest, mean, c.Tolerance, c.Mean)
			}
			info, err := inspectFile(data)
			if err != nil || info.Width != want.Width || info.Height != want.Height || info.Format != got.Format {
				t.Errorf("inspecting says %+v, %v", info, err)
			}
		})
	}
}
