package embed

import (
	"context"
	"fmt"
	"strings"
)

// MapMethod is a way to find where in an image a text is.
type MapMethod string

// The methods.
const (
	// MapAttention reads in one run where the queries look that speak for the text.
	MapAttention MapMethod = "attention"
	// MapOcclusion hides parts of the image, one after another, and sees by how much the
	// match falls. It takes some fifty to a hundred runs.
	MapOcclusion MapMethod = "occlusion"
)

// LocateOptions say how to find where in an image a text is.
type LocateOptions struct {
	// Method is MapAttention when empty.
	Method MapMethod
	// Progress, when not nil, is told of the runs of MapOcclusion, from several goroutines
	// but never at once. Total may grow.
	Progress func(done, total int)
}

// Locator says where in an image a text is.
type Locator interface {
	// Locate makes a map of the image that the tokens are of. It needs no pixels.
	Locate(ctx context.Context, tokens ImageTokens, text string, options LocateOptions) (Map, error)
}

var _ Locator = (*Engine)(nil)

// Map says where in an image a text is. A cell is a patch of the image as the model
// reads it, upright and stretched to a square.
type Map struct {
	Rows, Columns int
	// Values are Rows x Columns, row-major, from 0 to 1. The largest is 1, or all are 0
	// where nothing in the image speaks for the text. They compare the cells of one map:
	// whether the text is there at all is told by Match.
	Values []float32
	Method MapMethod
	// Match is the answer of matching for the whole image and text.
	Match Match
	// Runs counts the runs of the model that the map took.
	Runs int
}

// Validate reports a size that does not fit the values, and values out of range.
func (m Map) Validate() error {
	if m.Rows < 0 || m.Columns < 0 || m.Rows*m.Columns != len(m.Values) {
		return fmt.Errorf("a map of %dx%d has %d values", m.Rows, m.Columns, len(m.Values))
	}
	for _, value := range m.Values {
		if !(value >= 0 && value <= 1) {
			return fmt.Errorf("a map has the value %g", value)
		}
	}
	return nil
}

// Peak returns the cell of the largest value, and false where all are 0.
func (m Map) Peak() (row, column int, some bool) {
	best := float32(0)
	for i, value := range m.Values {
		if value > best {
			best, row, column = value, i/m.Columns, i%m.Columns
		}
	}
	return row, column, best > 0
}

// Region is a part of an image in fractions of its width and height, from its upper
// left corner.
type Region struct{ Left, Top, Right, Bottom float64 }

// regionShare is the share of the largest value that the cells of the strongest region
// have at least.
const regionShare = 0.5

// Region returns the box around the cell of the largest value and those beside it, from
// neighbour to neighbour, that have at least half of it. It returns false where all
// values are 0.
func (m Map) Region() (Region, bool) {
	cells := m.strongest()
	if len(cells) == 0 {
		return Region{}, false
	}
	top, left, bottom, right := m.Rows, m.Columns, 0, 0
	for _, cell := range cells {
		row, column := cell/m.Columns, cell%m.Columns
		top, left, bottom, right = min(top, row), min(left, column), max(bottom, row+1), max(right, column+1)
	}
	rows, columns := float64(m.Rows), float64(m.Columns)
	return Region{Left: float64(left) / columns, Top: float64(top) / rows, Right: float64(right) / columns, Bottom: float64(bottom) / rows}, true
}

// strongest lists the cells of the strongest region.
func (m Map) strongest() []int {
	row, column, some := m.Peak()
	if !some {
		return nil
	}
	peak := row*m.Columns + column
	least := m.Values[peak] * regionShare
	seen := make([]bool, len(m.Values))
	cells := []int{peak}
	seen[peak] = true
	for i := 0; i < len(cells); i++ {
		row, column := cells[i]/m.Columns, cells[i]%m.Columns
		for _, step := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
			r, c := row+step[0], column+step[1]
			if r < 0 || r >= m.Rows || c < 0 || c >= m.Columns {
				continue
			}
			if at := r*m.Columns + c; !seen[at] && m.Values[at] >= least {
				seen[at] = true
				cells = append(cells, at)
			}
		}
	}
	return cells
}

// everywhereShare is the share of the image above which a map points nowhere in particular.
const everywhereShare = 0.6

// Place names the part of an image where a map has its weight. It is a public contract.
type Place string

// The places: the ninths of an image, and two more.
const (
	PlaceUpperLeft  Place = "upper_left"
	PlaceTop        Place = "top"
	PlaceUpperRight Place = "upper_right"
	PlaceLeft       Place = "left"
	PlaceCentre     Place = "centre"
	PlaceRight      Place = "right"
	PlaceLowerLeft  Place = "lower_left"
	PlaceBottom     Place = "bottom"
	PlaceLowerRight Place = "lower_right"
	PlaceEverywhere Place = "everywhere"
	PlaceNowhere    Place = "nowhere"
)

// String says the place in a few English words, such as "mostly upper left", for those
// who do not see the map.
func (p Place) String() string {
	switch p {
	case PlaceTop, PlaceBottom:
		return "mostly at the " + string(p)
	case PlaceLeft, PlaceRight:
		return "mostly on the " + string(p)
	case PlaceCentre:
		return "mostly in the centre"
	case PlaceEverywhere:
		return "all over the picture"
	case PlaceNowhere:
		return "nowhere"
	}
	return "mostly " + strings.ReplaceAll(string(p), "_", " ")
}

// Place is where the map has its weight: the mean of the strongest region, since that of
// all would lie between two things.
func (m Map) Place() Place {
	wide := 0
	for _, value := range m.Values {
		if value >= regionShare {
			wide++
		}
	}
	cells := m.strongest()
	switch {
	case len(cells) == 0:
		return PlaceNowhere
	case float64(wide) > everywhereShare*float64(len(m.Values)):
		return PlaceEverywhere
	}
	var sum, x, y float64
	for _, cell := range cells {
		value := float64(m.Values[cell])
		sum += value
		x += value * (float64(cell%m.Columns) + 0.5) / float64(m.Columns)
		y += value * (float64(cell/m.Columns) + 0.5) / float64(m.Rows)
	}
	third := func(at float64) int { return max(0, min(2, int(3*at))) }
	return [3][3]Place{
		{PlaceUpperLeft, PlaceTop, PlaceUpperRight},
		{PlaceLeft, PlaceCentre, PlaceRight},
		{PlaceLowerLeft, PlaceBottom, PlaceLowerRight},
	}[third(y/sum)][third(x/sum)]
}

// newMap scales values so that the largest is 1; those below 0 count as 0.
func newMap(rows, columns int, values []float64, method MapMethod) Map {
	largest := 0.0
	for _, value := range values {
		largest = max(largest, value)
	}
	scaled := make([]float32, len(values))
	if largest > 0 {
		for i, value := range values {
			scaled[i] = float32(max(0, value) / largest)
		}
	}
	return Map{Rows: rows, Columns: columns, Values: scaled, Method: method}
}
