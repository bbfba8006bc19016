package container

// InspectGIF walks the blocks to the first picture.
func InspectGIF(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	const start = 13
	if len(data) < start {
		return h, Corrupt("it ends within its header")
	}
	h.Width, h.Height = int(little16(data[6:])), int(little16(data[8:]))
	at := start
	if data[10]&0x80 != 0 {
		at += 3 << (1 + data[10]&7)
	}
	for at < len(data) {
		switch data[at] {
		case 0x21:
			if at+8 <= len(data) && data[at+1] == 0xF9 && data[at+3]&1 != 0 {
				h.Frame.Transparency = at + 3
			}
			at = skipBlocks(data, at+2)
		case 0x2C:
			return h, h.readDescriptor(data, at)
		default:
			return h, Corrupt("it has no picture")
		}
	}
	return h, Corrupt("it ends before its picture starts")
}

// readDescriptor reads the image descriptor at the given offset. A picture
// that does not fit the screen makes the screen larger, as browsers do.
func (h *Header) readDescriptor(data []byte, at int) error {
	const size = 10
	if at+size > len(data) {
		return Corrupt("it ends before its picture starts")
	}
	f := &h.Frame
	f.X, f.Y = int(little16(data[at+1:])), int(little16(data[at+3:]))
	f.Width, f.Height = int(little16(data[at+5:])), int(little16(data[at+7:]))
	if f.Width == 0 || f.Height == 0 {
		return Corrupt("its first picture is %dx%d", f.Width, f.Height)
	}
	h.Width, h.Height = max(h.Width, f.X+f.Width), max(h.Height, f.Y+f.Height)
	h.Working = int64(f.Width) * int64(f.Height)
	// A code has 3 bits or more and stands for 4096 pixels or fewer.
	h.Least = h.Working * 3 / (4096 * 8)
	return nil
}

// skipBlocks returns the offset after the data blocks that start at at.
func skipBlocks(data []byte, at int) int {
	for at < len(data) && data[at] != 0 {
		at += 1 + int(data[at])
	}
	return at + 1
}
