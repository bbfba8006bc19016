package heatmap

import (
	"image"
	"image/color"
	"testing"
)

// TestOverlay: what is large is opaque and light, what is zero is clear, and the map lies the right way round.
func TestOverlay(t *testing.T) {
	overlay := Overlay(2, 3, []float32{0, 0, 1, 0, 0, 0}, 60, 40)
	if got := overlay.NRGBAAt(55, 5); got.A < 180 || got.R < 240 {
		t.Errorf("the strongest cell is %v", got)
	}
	for _, at := range []image.Point{{5, 5}, {5, 35}, {25, 35}} {
		if got := overlay.NRGBAAt(at.X, at.Y); got.A != 0 {
			t.Errorf("%v is %v, want clear", at, got)
		}
	}
	if empty := Overlay(2, 2, []float32{1}, 3, 3); empty.NRGBAAt(1, 1).A != 0 {
		t.Error("a map of another size is drawn")
	}
}

// TestScale: lightness rises with the value, so that the colours can be told in grey.
func TestScale(t *testing.T) {
	last := -1.0
	for step := range 101 {
		c := colourOf(float64(step) / 100)
		light := 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
		if light <= last {
			t.Errorf("at %d hundredths the lightness falls to %.1f", step, light)
		}
		last = light
	}
}

func TestOver(t *testing.T) {
	picture := image.NewRGBA(image.Rect(10, 10, 14, 12))
	picture.Set(10, 10, color.RGBA{R: 255, A: 255})
	drawn := Over(picture, 1, 2, []float32{0, 1})
	if drawn.Bounds() != image.Rect(0, 0, 4, 2) {
		t.Errorf("size %v", drawn.Bounds())
	}
	if got := drawn.NRGBAAt(0, 0); got.R != got.G || got.R == 0 || got.A != 255 {
		t.Errorf("a red pixel without weight is %v, want grey", got)
	}
	if got := drawn.NRGBAAt(3, 1); got.R < 150 || got.R == got.B {
		t.Errorf("the strongest pixel is %v", got)
	}
}
