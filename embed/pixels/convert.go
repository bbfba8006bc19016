package pixels

import (
	"image"
	"image/color"

	"mekiki/embed/pixels/container"
)

// ground is what a transparent image lies on.
type ground struct {
	drop  bool // keep the colours, ignore transparency
	color [3]uint8
}

// over lays a colour channel with an alpha on the background's.
func over(value, alpha, background uint8) uint8 {
	sum := uint32(value)*uint32(alpha) + uint32(background)*uint32(255-alpha) + 127
	return uint8(sum / 255)
}

// put writes one pixel that is not premultiplied by its alpha.
func (g ground) put(dst []byte, r, gr, b, alpha uint8) {
	if alpha != 255 && !g.drop {
		r, gr, b = over(r, alpha, g.color[0]), over(gr, alpha, g.color[1]), over(b, alpha, g.color[2])
	}
	dst[0], dst[1], dst[2] = r, gr, b
}

// convert writes a decoder's image, row by row.
func (g ground) convert(row func(y int) []byte, decoded image.Image, h header, data []byte) {
	bounds := decoded.Bounds()
	switch m := decoded.(type) {
	case *image.YCbCr:
		if k, _ := kindOf(h.format); k.convert != nil {
			k.convert(g, m, data, row)
		} else {
			g.convertAny(decoded, row)
		}
	case *image.NYCbCrA:
		g.convertWebP(&m.YCbCr, m.A, m.AStride, row)
	case *image.Gray:
		for y := range bounds.Dy() {
			spreadGray(row(y), m.Pix[y*m.Stride:], h.Negative)
		}
	case *image.Paletted:
		g.convertPaletted(m, row)
	case *image.RGBA:
		g.convertRGBA(m, row)
	case *image.NRGBA:
		for y := range bounds.Dy() {
			dst, src := row(y), m.Pix[y*m.Stride:]
			for to, from := 0, 0; to < len(dst); to, from = to+3, from+4 {
				g.put(dst[to:to+3], src[from], src[from+1], src[from+2], src[from+3])
			}
		}
	case *image.CMYK:
		for y := range bounds.Dy() {
			convertCMYK(row(y), m.Pix[y*m.Stride:])
		}
	case *image.Gray16:
		for y := range bounds.Dy() {
			dst, src := row(y), m.Pix[y*m.Stride:]
			for to, from := 0, 0; to < len(dst); to, from = to+3, from+2 {
				dst[to], dst[to+1], dst[to+2] = src[from], src[from], src[from]
			}
		}
	case *image.NRGBA64:
		for y := range bounds.Dy() {
			dst, src := row(y), m.Pix[y*m.Stride:]
			for to, from := 0, 0; to < len(dst); to, from = to+3, from+8 {
				g.put(dst[to:to+3], src[from], src[from+2], src[from+4], src[from+6])
			}
		}
	default:
		g.convertAny(decoded, row)
	}
}

// convertJFIF writes luma and chroma as JFIF means them.
func convertJFIF(_ ground, m *image.YCbCr, _ []byte, row func(int) []byte) {
	newSampler(m).convert(jpegColour(), row)
}

// convertVP8 writes luma and chroma as lossy WebP means them.
func convertVP8(g ground, m *image.YCbCr, _ []byte, row func(int) []byte) {
	g.convertWebP(m, nil, 0, row)
}

// convertHEIC writes luma and chroma as the file says that it means them.
func convertHEIC(_ ground, m *image.YCbCr, data []byte, row func(int) []byte) {
	newSampler(m).convert(heicConversion(container.HEICColourOf(data)), row)
}

// spreadGray writes one byte three times, black for white when it is negative.
func spreadGray(dst, src []byte, negative bool) {
	var flip byte
	if negative {
		flip = 255
	}
	for i, value := range src[:len(dst)/3] {
		value ^= flip
		dst[3*i], dst[3*i+1], dst[3*i+2] = value, value, value
	}
}

func (g ground) convertPaletted(m *image.Paletted, row func(int) []byte) {
	var table [256][3]byte
	for i := range table {
		if i < len(m.Palette) {
			c := color.NRGBAModel.Convert(m.Palette[i]).(color.NRGBA)
			g.put(table[i][:], c.R, c.G, c.B, c.A)
		}
	}
	for y := range m.Rect.Dy() {
		dst := row(y)
		for x, index := range m.Pix[y*m.Stride:][:m.Rect.Dx()] {
			copy(dst[3*x:3*x+3], table[index][:])
		}
	}
}

// convertRGBA handles colours that are premultiplied by their alpha.
func (g ground) convertRGBA(m *image.RGBA, row func(int) []byte) {
	for y := range m.Rect.Dy() {
		dst, src := row(y), m.Pix[y*m.Stride:]
		for to, from := 0, 0; to < len(dst); to, from = to+3, from+4 {
			r, gr, b, alpha := src[from], src[from+1], src[from+2], src[from+3]
			if alpha != 255 {
				c := color.NRGBAModel.Convert(color.RGBA{R: min(r, alpha), G: min(gr, alpha), B: min(b, alpha), A: alpha}).(color.NRGBA)
				r, gr, b = c.R, c.G, c.B
			}
			g.put(dst[to:to+3], r, gr, b, alpha)
		}
	}
}

// convertCMYK writes a row of inks as red, green and blue, without a colour
// profile, as Pillow does.
func convertCMYK(dst, src []byte) {
	for to, from := 0, 0; to < len(dst); to, from = to+3, from+4 {
		light := 255 - uint32(src[from+3])
		for c := range 3 {
			dst[to+c] = uint8((light*(255-uint32(src[from+c])) + 127) / 255)
		}
	}
}

func (g ground) convertAny(m image.Image, row func(int) []byte) {
	bounds := m.Bounds()
	for y := range bounds.Dy() {
		dst := row(y)
		for x := range bounds.Dx() {
			c := color.NRGBAModel.Convert(m.At(bounds.Min.X+x, bounds.Min.Y+y)).(color.NRGBA)
			g.put(dst[3*x:3*x+3], c.R, c.G, c.B, c.A)
		}
	}
}

// fill paints the whole image in one colour.
func (m *Image) fill(c [3]uint8) {
	for at := 0; at < len(m.Pix); at += 3 {
		copy(m.Pix[at:at+3], c[:])
	}
}
