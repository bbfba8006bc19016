package contract

import "testing"

func TestRectanglePixels(t *testing.T) {
	for _, r := range []Rectangle{{0, 0, 1, 1}, {0.999, 0.999, 0.001, 0.001}, {0.25, 0.5, 0.5, 0.25}, {1, 1, 1e-9, 1e-9}} {
		for _, size := range [][2]int{{1, 1}, {640, 480}, {3, 7}} {
			got := r.Pixels(size[0], size[1])
			if got.Empty() || got.Min.X < 0 || got.Min.Y < 0 || got.Max.X > size[0] || got.Max.Y > size[1] {
				t.Errorf("%+v of %v is %v", r, size, got)
			}
		}
	}
	if got := (Rectangle{0.25, 0.5, 0.5, 0.25}).Pixels(100, 100); got.Min.X != 25 || got.Max.X != 75 || got.Min.Y != 50 || got.Max.Y != 75 {
		t.Errorf("got %v", got)
	}
}
