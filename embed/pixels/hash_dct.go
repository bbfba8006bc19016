package pixels

// PerceptualHash returns 64 bits that stay nearly the same when a picture is
// scaled, recompressed or slightly recoloured. Compare two with
// HammingDistance: up to about 8 bits apart is the same picture.
//
// It is the difference hash: luma at 9x8 pixels, one bit for each of the 8
// neighbours in each row, set where the left one is darker.
func PerceptualHash(m *Image) uint64 {
	small, err := Resize(m, 9, 8)
	if err != nil {
		return 0
	}
	var hash uint64
	for y := range 8 {
		for x := range 8 {
			at := 3 * (y*9 + x)
			hash <<= 1
			if luma(small.Pix[at:]) < luma(small.Pix[at+3:]) {
				hash |= 1
			}
		}
	}
	return hash
}

// luma returns 1000 times the brightness of an RGB triple (ITU-R BT.601).
func luma(rgb []byte) int {
	return 299*int(rgb[0]) + 587*int(rgb[1]) + 114*int(rgb[2])
}
