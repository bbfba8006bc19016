package wire

import "mekiki/index/renditions"

// Pyramid is how a picture is cut into tiles.
type Pyramid struct {
	Width  int     `json:"width"`
	Height int     `json:"height"`
	Tile   int     `json:"tile"`
	Levels []Level `json:"levels"`
}

// Level is one size of a picture that is cut into tiles.
type Level struct {
	Level   int `json:"level"`
	Width   int `json:"width"`
	Height  int `json:"height"`
	Columns int `json:"columns"`
	Rows    int `json:"rows"`
}

// PyramidOf is a pyramid as it is sent.
func PyramidOf(p renditions.Pyramid) Pyramid {
	shown := Pyramid{Width: p.Width, Height: p.Height, Tile: renditions.TileSide, Levels: make([]Level, len(p.Levels))}
	for i, level := range p.Levels {
		shown.Levels[i] = Level{level.Number, level.Width, level.Height, level.Columns, level.Rows}
	}
	return shown
}
