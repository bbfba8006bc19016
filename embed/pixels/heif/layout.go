package heif

import (
	"fmt"
	"image"

	"mekiki/embed/pixels/sandbox"
)

// libheif's numbers of colour spaces and chroma formats.
const (
	colourYCbCr      = 0
	colourRGB        = 1
	colourMonochrome = 2
	chroma420        = 1
	chroma422        = 2
	chroma444        = 3
)

// layout says how the decoder lays a picture out: its planes one after the
// other, in rows as long as libheif makes them.
type layout struct {
	rectangle    image.Rectangle
	colourSpace  uint32
	ratio        image.YCbCrSubsampleRatio
	stride       int // of the first plane
	chromaStride int
	luma         int64 // bytes of the first plane
	chroma       int64 // bytes of each other
	size         int64 // of all
}

// rowBytes returns the length of a row of libheif: an even number of samples,
// in whole units of 16 bytes.
func rowBytes(samples, bytes int) int {
	samples = max((samples+1)&^1, 64)
	return (samples*bytes + 15) &^ 15
}

// layout works out how the picture will be laid out.
func (f facts) layout() (layout, error) {
	const maximumSide = 1 << 16
	if f.width < 1 || f.height < 1 || f.width > maximumSide || f.height > maximumSide {
		return layout{}, fmt.Errorf("%w: its size is %dx%d", sandbox.ErrDecode, f.width, f.height)
	}
	width, height := int(f.width), int(f.height)
	l := layout{rectangle: image.Rect(0, 0, width, height), colourSpace: f.colourSpace, stride: rowBytes(width, 1)}
	chromaWidth, chromaHeight := width, height
	switch f.colourSpace {
	case colourMonochrome:
		chromaHeight = 0
	case colourRGB:
		l.stride, chromaHeight = rowBytes(width, 4), 0
	case colourYCbCr:
		switch f.chroma {
		case chroma420:
			l.ratio, chromaWidth, chromaHeight = image.YCbCrSubsampleRatio420, (width+1)/2, (height+1)/2
		case chroma422:
			l.ratio, chromaWidth = image.YCbCrSubsampleRatio422, (width+1)/2
		case chroma444:
			l.ratio = image.YCbCrSubsampleRatio444
		default:
			return layout{}, fmt.Errorf("%w: its chroma format is %d", sandbox.ErrDecode, f.chroma)
		}
	default:
		return layout{}, fmt.Errorf("%w: its colour space is %d", sandbox.ErrDecode, f.colourSpace)
	}
	l.chromaStride = rowBytes(chromaWidth, 1)
	l.luma = int64(l.stride) * int64(height)
	l.chroma = int64(l.chromaStride) * int64(chromaHeight)
	l.size = l.luma + 2*l.chroma
	return l, nil
}

// picture returns the pixels as an image.
func (l layout) picture(pixels []byte) image.Image {
	first, second := l.luma, l.luma+l.chroma
	switch l.colourSpace {
	case colourMonochrome:
		return &image.Gray{Pix: pixels, Stride: l.stride, Rect: l.rectangle}
	case colourRGB:
		return &image.NRGBA{Pix: pixels, Stride: l.stride, Rect: l.rectangle}
	}
	return &image.YCbCr{
		Y: pixels[:first:first], Cb: pixels[first:second:second], Cr: pixels[second:],
		YStride: l.stride, CStride: l.chromaStride, SubsampleRatio: l.ratio, Rect: l.rectangle,
	}
}
