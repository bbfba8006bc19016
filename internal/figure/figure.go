// Package figure draws lines over two logarithmic axes as SVG, for the pages of measurements.
package figure

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// Line is a line of a figure: its name, and a value above zero for each x of the figure. A
// value of zero is left out.
type Line struct {
	Name   string
	Values []float64
}

// Figure is what Draw draws: lines over the same x, which ascend and are above zero.
type Figure struct {
	Title, XName, YName string
	X                   []float64
	Lines               []Line
}

// colours tell lines apart, also for those who see few of them (Okabe and Ito, 2008).
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// Draw gives the figure as SVG, always the same bytes. Axes begin and end at powers of ten.
func Draw(f Figure) []byte {
	var out bytes.Buffer
	low, high := math.Inf(1), math.Inf(-1)
	for _, line := range f.Lines {
		for _, value := range line.Values {
			if value > 0 {
				low, high = min(low, value), max(high, value)
			}
		}
	}
	x := axis{math.Floor(math.Log10(f.X[0])), math.Ceil(math.Log10(f.X[len(f.X)-1])), left, width - right}
	y := axis{math.Floor(math.Log10(low)), math.Ceil(math.Log10(high)), height - bottom, top}
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", width, height, width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height)
	text(&out, left, 18, "start", f.Title, "#000000")
	for power := x.low; power <= x.high; power++ {
		at := x.at(math.Pow(10, power))
		stroke(&out, at, top, at, height-bottom)
		text(&out, at, height-bottom+18, "middle", number(math.Pow(10, power)), "#444444")
	}
	for power := y.low; power <= y.high; power++ {
		at := y.at(math.Pow(10, power))
		stroke(&out, left, at, width-right, at)
		text(&out, left-8, at+4, "end", number(math.Pow(10, power)), "#444444")
	}
	text(&out, (left+width-right)/2, height-14, "middle", f.XName, "#444444")
	text(&out, 8, top-12, "start", f.YName, "#444444")
	names := f.places(y)
	for i, line := range f.Lines {
		colour := colours[i%len(colours)]
		var points bytes.Buffer
		for j, value := range line.Values {
			if value > 0 {
				fmt.Fprintf(&points, "%.1f,%.1f ", x.at(f.X[j]), y.at(value))
				fmt.Fprintf(&out, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x.at(f.X[j]), y.at(value), colour)
			}
		}
		fmt.Fprintf(&out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", bytes.TrimSpace(points.Bytes()), colour)
		text(&out, width-right+10, names[i], "start", line.Name, colour)
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

// axis maps values to pixels, by their logarithm.
type axis struct{ low, high, from, to float64 }

func (a axis) at(value float64) float64 {
	return a.from + (a.to-a.from)*(math.Log10(value)-a.low)/max(a.high-a.low, 1)
}

// places gives where the names of lines stand: at the lines' ends, but not over each other.
func (f Figure) places(y axis) []float64 {
	places, taken := make([]float64, len(f.Lines)), []float64{}
	for i, line := range f.Lines {
		for _, value := range line.Values {
			if value > 0 {
				places[i] = y.at(value) + 4
			}
		}
		for free := false; !free; {
			free = true
			for _, other := range taken {
				if math.Abs(other-places[i]) < fewestLabelPixels {
					places[i], free = other+fewestLabelPixels, false
				}
			}
		}
		taken = append(taken, places[i])
	}
	return places
}

func text(out *bytes.Buffer, x, y float64, anchor, what, colour string) {
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, colour, html.EscapeString(what))
}

func stroke(out *bytes.Buffer, x1, y1, x2, y2 float64) {
	fmt.Fprintf(out, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#dddddd"/>`+"\n", x1, y1, x2, y2)
}

// number writes a power of ten.
func number(value float64) string {
	switch {
	case value >= 1e6:
		return fmt.Sprintf("%g million", value/1e6)
	case value >= 1e3:
		return fmt.Sprintf("%g,000", value/1e3)
	}
	return fmt.Sprintf("%g", value)
}
