package figure

// The picture, in pixels: its sides, and the room around the axes.
const (
	width, height            = 860, 460
	left, right, top, bottom = 70, 230, 44, 56
	fewestLabelPixels        = 15 // between two names of lines
)
