package pixels

import (
	"image"

	"mekiki/embed/pixels/container"
)

// yCbCrColour turns a luma and two chroma bytes into red, green and blue with
// integer tables.
type yCbCrColour struct {
	luma    [256]int32 // 16 bits of fraction
	redCr   [256]int32
	greenCb [256]int32
	greenCr [256]int32
	blueCb  [256]int32
}

// jpegColour returns the conversion of JFIF: BT.601 in full range, rounded as
// libjpeg rounds it.
func jpegColour() *yCbCrColour { return newColour(0.299, 0.114, false) }

// newColour returns the conversion for the given weights of red and blue in
// luma, for full range or for limited range (16 to 235).
func newColour(red, blue float64, limited bool) *yCbCrColour {
	const one = 1 << 16
	c := &yCbCrColour{}
	green := 1 - red - blue
	lumaScale, chromaScale, offset := 1.0, 1.0, 0
	if limited {
		lumaScale, chromaScale, offset = 255.0/219, 255.0/224, 16
	}
	fixed := func(v float64) int32 { return int32(v*one + 0.5) }
	forRed, forBlue := fixed(2*(1-red)*chromaScale), fixed(2*(1-blue)*chromaScale)
	forGreenCb, forGreenCr := fixed(2*(1-blue)*blue/green*chromaScale), fixed(2*(1-red)*red/green*chromaScale)
	luma := fixed(lumaScale)
	for i := range 256 {
		centred := int32(i - 128)
		c.luma[i] = luma * int32(i-offset)
		// Red and blue round each chroma term by itself, green rounds the sum.
		c.redCr[i] = (forRed*centred + one/2) >> 16 << 16
		c.blueCb[i] = (forBlue*centred + one/2) >> 16 << 16
		c.greenCr[i] = -forGreenCr * centred
		c.greenCb[i] = -forGreenCb*centred + one/2
	}
	if limited { // the luma terms have fractions too: round the sums
		for i := range 256 {
			centred := int32(i - 128)
			c.redCr[i] = forRed*centred + one/2
			c.blueCb[i] = forBlue*centred + one/2
		}
	}
	return c
}

// row converts a row whose chroma has one sample for each pixel.
func (c *yCbCrColour) row(dst, luma, cb, cr []byte) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	dst = dst[:3*len(luma)]
	for i, value := range luma {
		y, u, v := c.luma[value], cb[i], cr[i]
		dst[3*i] = clamp((y + c.redCr[v]) >> 16)
		dst[3*i+1] = clamp((y + c.greenCb[u] + c.greenCr[v]) >> 16)
		dst[3*i+2] = clamp((y + c.blueCb[u]) >> 16)
	}
}

// clamp brings v into a byte.
func clamp(v int32) byte {
	if uint32(v) <= 255 {
		return byte(v)
	}
	if v < 0 {
		return 0
	}
	return 255
}

// sampler reads an image with subsampled chroma at full resolution.
type sampler struct {
	m             *image.YCbCr
	width, height int // of the picture
	chromaWidth   int
	chromaHeight  int
	across, down  int // pixels per chroma sample
}

func newSampler(m *image.YCbCr) *sampler {
	s := &sampler{m: m, width: m.Rect.Dx(), height: m.Rect.Dy(), across: 1, down: 1}
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		s.across = 2
	case image.YCbCrSubsampleRatio420:
		s.across, s.down = 2, 2
	case image.YCbCrSubsampleRatio440:
		s.down = 2
	case image.YCbCrSubsampleRatio411:
		s.across = 4
	case image.YCbCrSubsampleRatio410:
		s.across, s.down = 4, 2
	}
	s.chromaWidth = (s.width + s.across - 1) / s.across
	s.chromaHeight = (s.height + s.down - 1) / s.down
	return s
}

// convert writes every row of the picture. Chroma at half the resolution is
// interpolated as libjpeg's "fancy upsampling" does, with weights of 3/4 and
// 1/4 each way; at other resolutions it is repeated.
func (s *sampler) convert(c *yCbCrColour, row func(int) []byte) {
	cb, cr := make([]byte, s.chromaWidth*s.across+2), make([]byte, s.chromaWidth*s.across+2)
	sums := make([]int32, s.chromaWidth)
	for y := range s.height {
		luma := s.m.Y[y*s.m.YStride:][:s.width]
		if s.across == 1 && s.down == 1 {
			at := y * s.m.CStride
			c.row(row(y), luma, s.m.Cb[at:], s.m.Cr[at:])
			continue
		}
		s.chroma(cb, s.m.Cb, y, sums)
		s.chroma(cr, s.m.Cr, y, sums)
		c.row(row(y), luma, cb, cr)
	}
}

// chroma writes the chroma of picture row y, from one of the two planes.
func (s *sampler) chroma(dst, plane []byte, y int, sums []int32) {
	at := y / s.down
	near := plane[at*s.m.CStride:][:s.chromaWidth]
	if s.across == 4 || s.across == 2 && s.chromaWidth <= 2 {
		for x, value := range near {
			for i := range s.across {
				dst[x*s.across+i] = value
			}
		}
		return
	}
	if s.down == 1 {
		upsampleRow(dst, near)
		return
	}
	other := at + 1
	if y%2 == 0 {
		other = at - 1
	}
	other = min(max(other, 0), s.chromaHeight-1)
	far := plane[other*s.m.CStride:][:s.chromaWidth]
	if s.across == 1 {
		bias := 1 + y%2
		for x, value := range near {
			dst[x] = byte((3*int(value) + int(far[x]) + bias) >> 2)
		}
		return
	}
	for x, value := range near {
		sums[x] = 3*int32(value) + int32(far[x])
	}
	upsampleSums(dst, sums)
}

// upsampleRow doubles a row of three samples or more.
func upsampleRow(dst, src []byte) {
	last := len(src) - 1
	for x, value := range src {
		v := 3 * int(value)
		left, right := int(src[max(x-1, 0)]), int(src[min(x+1, last)])
		dst[2*x], dst[2*x+1] = byte((v+left+1)>>2), byte((v+right+2)>>2)
	}
	dst[0], dst[2*last+1] = src[0], src[last]
}

// upsampleSums doubles a row of sums of four samples.
func upsampleSums(dst []byte, sums []int32) {
	last := len(sums) - 1
	for x, sum := range sums {
		left, right := sums[max(x-1, 0)], sums[min(x+1, last)]
		dst[2*x], dst[2*x+1] = byte((3*sum+left+8)>>4), byte((3*sum+right+7)>>4)
	}
}

// heicConversion returns the way of a HEIC file's colours to red, green and blue.
func heicConversion(c container.HEICColour) *yCbCrColour {
	switch {
	case c.Matrix == 1:
		return newColour(0.2126, 0.0722, c.Limited)
	case c.Matrix == 9, c.Matrix == 10:
		return newColour(0.2627, 0.0593, c.Limited)
	}
	return newColour(0.299, 0.114, c.Limited)
}
