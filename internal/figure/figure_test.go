package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the figure anew")

// figures are those of the pages of measurements, each of the first table below a heading.
var figures = []struct {
	page, heading, picture string
	form                   Figure
}{
	{"size.md", "# Measurements: size", "size.svg", Figure{Title: "What a search takes by the number of pictures (median)", XName: "pictures", YName: "ms of processor"}},
	{"cluster.md", "## Scale", "cluster.svg", Figure{Title: "What a search takes by the number of pictures (median)", XName: "pictures", YName: "ms"}},
}

// TestFigures draws tables of docs/measurements, and holds the figures there against them.
func TestFigures(t *testing.T) {
	const folder = "../../docs/measurements"
	for _, one := range figures {
		text, err := os.ReadFile(filepath.Join(folder, one.page))
		if err != nil {
			t.Fatal(err)
		}
		_, below, there := strings.Cut(string(text), one.heading+"\n")
		if !there {
			t.Fatalf("%s has no heading %q", one.page, one.heading)
		}
		drawn, picture := Draw(tableOf(t, one.form, below)), filepath.Join(folder, one.picture)
		if *update {
			if err := os.WriteFile(picture, drawn, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		now, err := os.ReadFile(picture)
		if err != nil || !bytes.Equal(now, drawn) {
			t.Errorf("%s is not of its table (%v): go test ./internal/figure -update", one.picture, err)
		}
	}
}

// tableOf reads the first table of a text into a figure: pictures, then medians and 99th percentiles.
func tableOf(t *testing.T, f Figure, text string) Figure {
	t.Helper()
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		count, err := strconv.ParseFloat(strings.ReplaceAll(strings.Fields(cells[0] + " .")[0], ",", ""), 64)
		switch {
		case len(cells) < 3:
			if len(f.X) > 0 {
				return f
			}
		case err != nil && len(f.Lines) == 0:
			for _, cell := range cells[1:] {
				f.Lines = append(f.Lines, Line{Name: strings.TrimSpace(cell)})
			}
		case err == nil:
			f.X = append(f.X, count)
			for i, cell := range cells[1:] {
				median, _, _ := strings.Cut(strings.TrimSpace(cell), ",")
				value, err := strconv.ParseFloat(median, 64)
				if err != nil {
					t.Fatalf("%q: %v", cell, err)
				}
				f.Lines[i].Values = append(f.Lines[i].Values, value)
			}
		}
	}
	t.Fatal("no table of numbers")
	return f
}

func TestDrawnIsXML(t *testing.T) {
	drawn := Draw(Figure{Title: "a < b", X: []float64{10, 200}, Lines: []Line{{"one", []float64{1, 20}}, {"two", []float64{0, 20}}}})
	decoder := xml.NewDecoder(bytes.NewReader(drawn))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := bytes.Count(drawn, []byte("<circle")); got != 3 {
		t.Errorf("%d points", got)
	}
}
