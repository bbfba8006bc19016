// Package heatmap draws maps of values over pictures.
//
//	overlay := heatmap.Overlay(rows, columns, values, width, height) // see-through where a value is small
//	picture := heatmap.Over(photo, rows, columns, values)
//
// Colours are those of the scale "inferno", whose lightness rises evenly with the value, so that equal steps look
// equal, to the colour-blind and in grey too.
package heatmap

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// inferno is the scale of that name by Stéfan van der Walt and Nathaniel Smith (matplotlib, CC0), at every eighth of it.
var inferno = [9][3]float64{
	{0, 0, 4}, {31, 12, 72}, {85, 15, 109}, {136, 34, 106}, {186, 54, 85}, {227, 89, 51}, {249, 140, 10}, {249, 201, 50}, {252, 255, 164},
}

// colourOf gives the colour of a value from 0 to 1.
func colourOf(value float64) [3]float64 {
	at := min(max(value, 0), 1) * float64(len(inferno)-1)
	low := min(int(at), len(inferno)-2)
	share := at - float64(low)
	var mixed [3]float64
	for i := range mixed {
		mixed[i] = inferno[low][i]*(1-share) + inferno[low+1][i]*share
	}
	return mixed
}

// Overlay draws a map of rows x columns values from 0 to 1, row-major, to be laid over a picture of that size. It is the
// more opaque the larger a value is, and blends smoothly from cell to cell. It draws nothing of a map whose size does not
// fit its values.
func Overlay(rows, columns int, values []float32, width, height int) *image.NRGBA {
	overlay := image.NewNRGBA(image.Rect(0, 0, max(0, width), max(0, height)))
	if rows < 1 || columns < 1 || rows*columns != len(values) {
		return overlay
	}
	for y := range height {
		for x := range width {
			value := between(rows, columns, values, (float64(x)+0.5)/float64(width), (float64(y)+0.5)/float64(height))
			mixed := colourOf(value)
			overlay.SetNRGBA(x, y, color.NRGBA{R: uint8(mixed[0]), G: uint8(mixed[1]), B: uint8(mixed[2]), A: uint8(math.Round(255 * most * value))})
		}
	}
	return overlay
}

// between is the value at a place in shares of the width and height, bilinear between the centres of cells.
func between(rows, columns int, values []float32, x, y float64) float64 {
	axis := func(at float64, count int) (low, high int, share float64) {
		at = min(max(at*float64(count)-0.5, 0), float64(count-1))
		low = int(at)
		return low, min(low+1, count-1), at - float64(low)
	}
	left, right, across := axis(x, columns)
	top, bottom, down := axis(y, rows)
	cell := func(row, column int) float64 { return float64(values[row*columns+column]) }
	upper := cell(top, left)*(1-across) + cell(top, right)*across
	lower := cell(bottom, left)*(1-across) + cell(bottom, right)*across
	return upper*(1-down) + lower*down
}

// Over draws a map over a picture, which it does not change. The picture is shown in grey, so that the
// colours are the map's alone.
func Over(picture image.Image, rows, columns int, values []float32) *image.NRGBA {
	bounds := picture.Bounds()
	drawn := image.NewNRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			grey := color.GrayModel.Convert(picture.At(bounds.Min.X+x, bounds.Min.Y+y)).(color.Gray).Y
			drawn.SetNRGBA(x, y, color.NRGBA{R: grey, G: grey, B: grey, A: 255})
		}
	}
	overlay := Overlay(rows, columns, values, bounds.Dx(), bounds.Dy())
	draw.Draw(drawn, drawn.Bounds(), overlay, image.Point{}, draw.Over)
	return drawn
}
