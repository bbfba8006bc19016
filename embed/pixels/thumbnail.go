package pixels

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
)

// Thumbnail returns a JPEG of m whose longer side is at most longestSide
// pixels. A smaller image keeps its size. Quality is from 1 to 100.
func Thumbnail(m *Image, longestSide, quality int) ([]byte, error) {
	if longestSide < 1 || quality < 1 || quality > 100 {
		return nil, fmt.Errorf("make thumbnail: side %d or quality %d is out of range", longestSide, quality)
	}
	small, err := Shrink(m, longestSide)
	if err != nil {
		return nil, fmt.Errorf("make thumbnail: %w", err)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small.RGBA(), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("make thumbnail: %w", err)
	}
	return out.Bytes(), nil
}

// RGBA returns a copy of m as the standard library's picture.
func (m *Image) RGBA() *image.RGBA {
	out := image.NewRGBA(m.Bounds())
	for from, to := 0, 0; to < len(out.Pix); from, to = from+3, to+4 {
		out.Pix[to], out.Pix[to+1], out.Pix[to+2], out.Pix[to+3] = m.Pix[from], m.Pix[from+1], m.Pix[from+2], 255
	}
	return out
}
