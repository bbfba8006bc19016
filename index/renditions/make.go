package renditions

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"

	"mekiki/embed/pixels"
)

// writePicture writes the rendition of a picture.
func writePicture(to io.Writer, m *pixels.Image) error {
	jpeg, err := pixels.Thumbnail(m, Side, Quality)
	if err != nil {
		return err
	}
	pack := packWriter{to: to}
	if err := pack.add(jpeg); err != nil {
		return err
	}
	return pack.close()
}

// writeTiles writes the tiles of a picture, from the finest level to the coarsest. It needs the
// picture's memory and that of one tile: each level is made where the one before it was, so that
// nothing of the picture is left afterwards.
func writeTiles(ctx context.Context, to io.Writer, m *pixels.Image, p Pyramid) error {
	pack := packWriter{to: to}
	tile := image.NewRGBA(image.Rect(0, 0, TileSide, TileSide))
	var file bytes.Buffer
	for i, level := range p.Levels {
		if i > 0 {
			halve(m)
		}
		if m.Width != level.Width || m.Height != level.Height {
			return fmt.Errorf("level %d is %dx%d, expected %dx%d", level.Number, m.Width, m.Height, level.Width, level.Height)
		}
		for number := range level.Columns * level.Rows {
			if err := ctx.Err(); err != nil {
				return err
			}
			part := image.Rect(0, 0, TileSide, TileSide).Add(image.Pt(number%level.Columns, number/level.Columns).Mul(TileSide))
			file.Reset()
			if err := jpeg.Encode(&file, cut(tile, m, part.Intersect(m.Bounds())), &jpeg.Options{Quality: Quality}); err != nil {
				return fmt.Errorf("make tile: %w", err)
			}
			if err := pack.add(file.Bytes()); err != nil {
				return err
			}
		}
	}
	return pack.close()
}

// cut copies a part of a picture, of the size of a tile at most, into a tile.
func cut(tile *image.RGBA, m *pixels.Image, part image.Rectangle) *image.RGBA {
	for y := range part.Dy() {
		from := m.Pix[3*((part.Min.Y+y)*m.Width+part.Min.X):][:3*part.Dx()]
		to := tile.Pix[y*tile.Stride:][:4*part.Dx()]
		for ; len(from) >= 3; from, to = from[3:], to[4:] {
			to[0], to[1], to[2], to[3] = from[0], from[1], from[2], 255
		}
	}
	return tile.SubImage(image.Rect(0, 0, part.Dx(), part.Dy())).(*image.RGBA)
}

// halve makes a picture half as wide and high, rounded up, in its own memory: each pixel is the
// mean of four, or of the two or the one that there are at the right and the bottom.
func halve(m *pixels.Image) {
	width, height := (m.Width+1)/2, (m.Height+1)/2
	for y := range height {
		upper := m.Pix[3*2*y*m.Width:][:3*m.Width]
		lower := upper
		if 2*y+1 < m.Height {
			lower = m.Pix[3*(2*y+1)*m.Width:][:3*m.Width]
		}
		to := m.Pix[3*y*width:][:3*width]
		for x := range width {
			left := 6 * x
			right := left
			if 2*x+1 < m.Width {
				right += 3
			}
			for c := range 3 {
				sum := uint32(upper[left+c]) + uint32(upper[right+c]) + uint32(lower[left+c]) + uint32(lower[right+c])
				to[3*x+c] = byte((sum + 2) / 4)
			}
		}
	}
	m.Pix, m.Width, m.Height = m.Pix[:3*width*height], width, height
}
