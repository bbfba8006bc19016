package pixels

// inspectGIF walks the blocks to the first picture.
func inspectGIF(data []byte) (header, error) {
	h := header{orientation: 1}
	const start = 13
	if len(data) < start {
		return h, corrupt("it ends within its header")
	}
	h.width, h.height = int(little16(data[6:])), int(little16(data[8:]))
	at := start
	if data[10]&0x80 != 0 {
		at += 3 << (1 + data[10]&7)
	}
	for at < len(data) {
		switch data[at] {
		case 0x21:
			if at+8 <= len(data) && data[at+1] == 0xF9 && data[at+3]&1 != 0 {
				h.frame.transparency = at + 3
			}
			at = skipBlocks(data, at+2)
		case 0x2C:
			return h, h.readDescriptor(data, at)
		default:
			return h, corrupt("it has no picture")
		}
	}
	return h, corrupt("it ends before its picture starts")
}

// readDescriptor reads the image descriptor at the given offset. A picture
// that does not fit the screen makes the screen larger, as browsers do.
func (h *header) readDescriptor(data []byte, at int) error {
	const size = 10
	if at+size > len(data) {
		return corrupt("it ends before its picture starts")
	}
	f := &h.frame
	f.x, f.y = int(little16(data[at+1:])), int(little16(data[at+3:]))
	f.width, f.height = int(little16(data[at+5:])), int(little16(data[at+7:]))
	if f.width == 0 || f.height == 0 {
		return corrupt("its first picture is %dx%d", f.width, f.height)
	}
	h.width, h.height = max(h.width, f.x+f.width), max(h.height, f.y+f.height)
	h.working = int64(f.width) * int64(f.height)
	// A code has 3 bits or more and stands for 4096 pixels or fewer.
	h.least = h.working * 3 / (4096 * 8)
	return nil
}

// skipBlocks returns the offset after the data blocks that start at at.
func skipBlocks(data []byte, at int) int {
	for at < len(data) && data[at] != 0 {
		at += 1 + int(data[at])
	}
	return at + 1
}
