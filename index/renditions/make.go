package renditions

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"

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
// picture's memory and that of one tile for each processor: each level is made where the one before
// it was, so that nothing of the picture is left afterwards.
func writeTiles(ctx context.Context, to io.Writer, m *pixels.Image, p Pyramid) error {
	pack := packWriter{to: to}
	encoders := make([]tileEncoder, runtime.GOMAXPROCS(0))
	for i := range encoders {
		encoders[i].tile = image.NewRGBA(image.Rect(0, 0, TileSide, TileSide))
	}
	for i, level := range p.Levels {
		if i > 0 {
			halve(m)
		}
		if m.Width != level.Width || m.Height != level.Height {
			return fmt.Errorf("level %d is %dx%d, expected %dx%d", level.Number, m.Width, m.Height, level.Width, level.Height)
		}
		count := level.Columns * level.Rows
		for first := 0; first < count; first += len(encoders) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := encodeSome(encoders[:min(len(encoders), count-first)], m, level, first, &pack); err != nil {
				return err
			}
		}
	}
	return pack.close()
}

// encodeSome encodes as many tiles as there are encoders side by side, and adds them in order.
func encodeSome(encoders []tileEncoder, m *pixels.Image, level Level, first int, pack *packWriter) error {
	var group errgroup.Group
	for i := range encoders {
		group.Go(func() error { return encoders[i].encode(m, level, first+i) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("make tile: %w", err)
	}
	for i := range encoders {
		if err := pack.add(encoders[i].file.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// tileEncoder makes one tile after the other in the same memory.
type tileEncoder struct {
	tile *image.RGBA
	file bytes.Buffer
}

func (e *tileEncoder) encode(m *pixels.Image, level Level, number int) error {
	part := image.Rect(0, 0, TileSide, TileSide).Add(image.Pt(number%level.Columns, number/level.Columns).Mul(TileSide))
	e.file.Reset()
	return jpeg.Encode(&e.file, cut(e.tile, m, part.Intersect(m.Bounds())), &jpeg.Options{Quality: Quality})
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
