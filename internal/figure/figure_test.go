package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the figure anew")

const page, picture = "../../docs/measurements/size.md", "../../docs/measurements/size.svg"

// TestSizeFigure draws the table of docs/measurements/size.md, and holds the figure there against
// it.
func TestSizeFigure(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	drawn := Draw(tableOf(t, string(text)))
	if *update {
		if err := os.WriteFile(picture, drawn, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(picture)
	if err != nil || !bytes.Equal(there, drawn) {
		t.Errorf("the figure is not of the table (%v): go test ./internal/figure -update", err)
	}
}

// tableOf reads the first table of a page: images, then medians and 99th percentiles.
func tableOf(t *testing.T, text string) Figure {
	t.Helper()
	f := Figure{Title: "What a search takes by the number of pictures (median)", XName: "pictures", YName: "ms of processor"}
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
