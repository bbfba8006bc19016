package pixels

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"
)

// numbered is an image in which every pixel differs.
func numbered(width, height int) *Image {
	m := must(New(width, height))
	for i := range width * height {
		m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = byte(i), byte(i>>8), byte(i%7)
	}
	return m
}

func (m *Image) at(x, y int) [3]byte { return [3]byte(m.Pix[3*(y*m.Width+x):]) }

// TestUprightPutsEveryPixelWhereEXIFSays checks all orientations against the
// definition: where the file's row 0 and column 0 are seen.
func TestUprightPutsEveryPixelWhereEXIFSays(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 3}, {5, 4}, {70, 33}, {1, 40}} {
		width, height := size[0], size[1]
		m := numbered(width, height)
		right, bottom := width-1, height-1
		for orientation, place := range map[int]func(x, y int) (int, int){
			1: func(x, y int) (int, int) { return x, y },
			2: func(x, y int) (int, int) { return right - x, y },
			3: func(x, y int) (int, int) { return right - x, bottom - y },
			4: func(x, y int) (int, int) { return x, bottom - y },
			5: func(x, y int) (int, int) { return y, x },
			6: func(x, y int) (int, int) { return bottom - y, x },
			7: func(x, y int) (int, int) { return bottom - y, right - x },
			8: func(x, y int) (int, int) { return y, right - x },
		} {
			out, err := upright(t.Context(), m.Clone(), orientation)
			if err != nil {
				t.Fatal(err)
			}
			for y := range height {
				for x := range width {
					if toX, toY := place(x, y); out.at(toX, toY) != m.at(x, y) {
						t.Fatalf("%dx%d, orientation %d: pixel %d,%d is not at %d,%d", width, height, orientation, x, y, toX, toY)
					}
				}
			}
		}
	}
}

func TestCrop(t *testing.T) {
	m := numbered(20, 10)
	out, err := Crop(m, image.Rect(3, 4, 8, 6))
	if err != nil {
		t.Fatal(err)
	}
	if out.Width != 5 || out.Height != 2 || out.at(0, 0) != m.at(3, 4) || out.at(4, 1) != m.at(7, 5) {
		t.Errorf("got %dx%d starting %v", out.Width, out.Height, out.at(0, 0))
	}
	if out, err := Crop(m, image.Rect(-5, -5, 100, 3)); err != nil || out.Width != 20 || out.Height != 3 {
		t.Errorf("a crop that sticks out: %v", err)
	}
	for _, outside := range []image.Rectangle{image.Rect(20, 0, 30, 5), image.Rect(3, 3, 3, 9), image.Rect(-4, -4, 0, 0)} {
		if _, err := Crop(m, outside); err == nil {
			t.Errorf("%v: no error", outside)
		}
	}
}

func TestThumbnail(t *testing.T) {
	m := waves(1, 400, 100)
	data, err := Thumbnail(m, 200, 82)
	if err != nil {
		t.Fatal(err)
	}
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width != 200 || config.Height != 50 {
		t.Errorf("got %dx%d, %v", config.Width, config.Height, err)
	}
	_, mean := difference(must(Decode(context.Background(), data, Options{})), must(Resize(m, 200, 50)))
	if mean > 4 {
		t.Errorf("it differs from the resized picture by %.1f on average", mean)
	}
	better, err := Thumbnail(m, 200, 95)
	if err != nil || len(better) <= len(data) {
		t.Errorf("quality 95 takes %d bytes, the default %d; %v", len(better), len(data), err)
	}
	if same, err := Thumbnail(waves(1, 40, 30), 200, 82); err != nil {
		t.Error(err)
	} else if m := must(Decode(context.Background(), same, Options{})); m.Width != 40 || m.Height != 30 {
		t.Errorf("a small picture became %dx%d", m.Width, m.Height)
	}
	for _, bad := range [][2]int{{0, 80}, {100, 101}, {100, -1}} {
		if _, err := Thumbnail(m, bad[0], bad[1]); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

func TestShrinkIsNearResize(t *testing.T) {
	for _, size := range [][2]int{{500, 333}, {401, 603}, {1000, 40}} {
		m := waves(2, size[0], size[1])
		small, err := Shrink(m, 100)
		if err != nil {
			t.Fatal(err)
		}
		if max(small.Width, small.Height) != 100 {
			t.Errorf("%v became %dx%d", size, small.Width, small.Height)
		}
		largest, mean := difference(small, must(Resize(m, small.Width, small.Height)))
		if largest > 12 || mean > 1.5 {
			t.Errorf("%v: differs by up to %d, %.2f on average", size, largest, mean)
		}
	}
	m := numbered(30, 20)
	if same, err := Shrink(m, 30); err != nil || same != m {
		t.Errorf("a small picture is not returned as it is: %v", err)
	}
}

func TestNewRefusesImpossibleSizes(t *testing.T) {
	for _, size := range [][2]int{{0, 5}, {5, 0}, {-3, -3}, {1 << 40, 1 << 40}, {1 << 62, 2}} {
		if _, err := New(size[0], size[1]); err == nil {
			t.Errorf("%v: no error", size)
		}
	}
}

func TestNormalizationValidates(t *testing.T) {
	for _, bad := range []Normalization{{}, {StandardDeviation: [3]float32{1, 1, 1}}, {RescaleFactor: 1, StandardDeviation: [3]float32{1, 0, 1}}} {
		if bad.Validate() == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}
