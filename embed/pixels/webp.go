package pixels

import "image"

// convertWebP writes a lossy WebP picture. VP8's colours are BT.601 in limited
// range, and image.YCbCr does not say so; its chroma is interpolated with
// weights of 9, 3, 3 and 1. Both are done in libwebp's integer arithmetic. The
// alpha plane may be nil.
func (g ground) convertWebP(m *image.YCbCr, alpha []byte, alphaStride int, row func(int) []byte) {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	chromaWidth, chromaHeight := (width+1)/2, (height+1)/2
	cb, cr := make([]byte, 2*chromaWidth+1), make([]byte, 2*chromaWidth+1)
	for y := range height {
		near, far := y/2, y/2-1+y%2*2
		far = min(max(far, 0), chromaHeight-1)
		upsampleWebP(cb, m.Cb[near*m.CStride:][:chromaWidth], m.Cb[far*m.CStride:][:chromaWidth])
		upsampleWebP(cr, m.Cr[near*m.CStride:][:chromaWidth], m.Cr[far*m.CStride:][:chromaWidth])
		dst := row(y)
		webPRow(dst, m.Y[y*m.YStride:][:width], cb, cr)
		if alpha == nil || g.drop {
			continue
		}
		for x, a := range alpha[y*alphaStride:][:width] {
			g.put(dst[3*x:3*x+3], dst[3*x], dst[3*x+1], dst[3*x+2], a)
		}
	}
}

// upsampleWebP doubles the near row of chroma, mixed with the far one; dst has
// room for twice its length and one more.
func upsampleWebP(dst, near, far []byte) {
	last := len(near) - 1
	dst[0] = byte((3*int(near[0]) + int(far[0]) + 2) >> 2)
	for x := range last {
		a, b, c, d := int(near[x]), int(near[x+1]), int(far[x]), int(far[x+1])
		sum := a + b + c + d + 8
		p, q := (sum+2*(b+c))>>3, (sum+2*(a+d))>>3
		dst[2*x+1], dst[2*x+2] = byte((p+a)>>1), byte((q+b)>>1)
	}
	dst[2*last+1] = byte((3*int(near[last]) + int(far[last]) + 2) >> 2)
}

// webPRow turns a row into red, green and blue: products with 14 bits of
// fraction, of which 8 are cut off before they are summed.
func webPRow(dst, luma, cb, cr []byte) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	dst = dst[:3*len(luma)]
	for i, value := range luma {
		y, u, v := int32(value)*19077>>8, int32(cb[i]), int32(cr[i])
		dst[3*i] = clamp((y + v*26149>>8 - 14234) >> 6)
		dst[3*i+1] = clamp((y - u*6419>>8 - v*13320>>8 + 8708) >> 6)
		dst[3*i+2] = clamp((y + u*33050>>8 - 17685) >> 6)
	}
}
