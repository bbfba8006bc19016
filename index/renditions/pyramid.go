package renditions

import "mekiki/embed/pixels"

// Pyramid is a picture cut into tiles, at its full size and at halves of it:
//
//	level 0   the whole size, upright
//	level 1   half as wide and half as high, rounded up
//	...
//	the last  both sides at most [TileSide]
//
// Tile (x, y) of a level begins at the pixel (512x, 512y) from the top left. Of a picture
// with more than [pixels.WholePixels] the first levels are left out.
type Pyramid struct {
	// Width and Height are those of level 0, in pixels.
	Width, Height int
	// Levels are from the finest that there is to the coarsest.
	Levels []Level
}

// Level is one size of a picture.
type Level struct {
	// Number says how often the size was halved.
	Number int
	// Width and Height are in pixels, Columns and Rows in tiles.
	Width, Height, Columns, Rows int
}

// PyramidOf gives the pyramid of a picture of some size; one without levels for a size below
// one pixel.
func PyramidOf(width, height int) Pyramid {
	p := Pyramid{Width: width, Height: height}
	if width < 1 || height < 1 {
		return p
	}
	for number, w, h := 0, width, height; ; number, w, h = number+1, (w+1)/2, (h+1)/2 {
		if int64(width)*int64(height)>>(2*number) <= pixels.WholePixels {
			p.Levels = append(p.Levels, Level{number, w, h, tilesIn(w), tilesIn(h)})
		}
		if w <= TileSide && h <= TileSide {
			return p
		}
	}
}

func tilesIn(side int) int { return (side + TileSide - 1) / TileSide }

// Tile names one tile of a pyramid.
type Tile struct{ Level, X, Y int }

// position is the number of a tile in the file; false where there is no such tile.
func (p Pyramid) position(t Tile) (int, bool) {
	before := 0
	for _, level := range p.Levels {
		if level.Number == t.Level {
			inside := t.X >= 0 && t.X < level.Columns && t.Y >= 0 && t.Y < level.Rows
			return before + t.Y*level.Columns + t.X, inside
		}
		before += level.Columns * level.Rows
	}
	return 0, false
}
