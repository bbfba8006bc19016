package container

// What JPEG XL files begin with: the picture itself, or a container of it.
const (
	JXLSignature = "\xFF\x0A"
	JXLContainer = "\x00\x00\x00\x0CJXL \r\n\x87\n"
)

// InspectJXL reads the header of the picture (ISO/IEC 18181-1, annexes B and D).
// Turning is left to the decoder, so the size is that of the upright picture.
func InspectJXL(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	r := &jxlReader{data: jxlCodestream(data)}
	if r.number(16) != 0x0AFF {
		return h, Corrupt("there is no picture in it, or only its beginning")
	}
	width, height := r.jxlSize()
	m := r.jxlMetadata()
	if r.short {
		return h, Corrupt("it ends before its picture starts")
	}
	if m.turned {
		width, height = height, width
	}
	if m.black {
		return h, Unsupported("its colours are CMYK; it can be read when it is saved as RGB")
	}
	h.Width, h.Height, h.Depth, h.Associated = int(width), int(height), int(m.depth), m.associated
	h.Working, h.Most = sandboxMemory(len(data), int64(width)*int64(height), jxlPixel)
	return h, nil
}

// jxlCodestream returns the beginning of the picture in a file.
func jxlCodestream(data []byte) []byte {
	if Prefixed(JXLSignature)(data) {
		return data
	}
	var joined []byte
	for rest := data; len(joined) < maximumJXLHeader; {
		name, content, after, ok := nextBox(rest)
		if !ok {
			break
		}
		rest = after
		switch {
		case name == "jxlc":
			return content
		case name == "jxlp" && len(content) > 4: // a part, behind its number
			joined = append(joined, content[4:min(len(content), maximumJXLHeader)]...)
		}
	}
	return joined
}

// jxlReader reads numbers whose lowest bit comes first.
type jxlReader struct {
	data []byte
	at   int // in bits
	// short says that more was asked for than there is.
	short bool
}

// number reads a number of up to 32 bits.
func (r *jxlReader) number(bits int) (value uint32) {
	for i := range bits {
		if r.at>>3 >= len(r.data) {
			r.short = true
			return 0
		}
		value |= uint32(r.data[r.at>>3]>>(r.at&7)&1) << i
		r.at++
	}
	return value
}

func (r *jxlReader) flag() bool { return r.number(1) == 1 }

// jxlForm is one way in which a number is written: an offset, and so many bits that
// are added to it.
type jxlForm struct {
	offset uint32
	bits   int
}

// choice reads a number that is written in one of four forms, U32 of the standard.
func (r *jxlReader) choice(a, b, c, d jxlForm) uint32 {
	form := [4]jxlForm{a, b, c, d}[r.number(2)]
	return form.offset + r.number(form.bits)
}

// jxlSize reads a SizeHeader.
func (r *jxlReader) jxlSize() (width, height uint64) {
	small := r.flag()
	side := func() uint64 {
		if small {
			return 8 * (uint64(r.number(5)) + 1)
		}
		return uint64(r.choice(jxlForm{1, 9}, jxlForm{1, 13}, jxlForm{1, 18}, jxlForm{1, 30}))
	}
	height = side()
	return r.jxlRatio(height, side), height
}

// jxlRatio reads the width, which may be given by its ratio to the height.
func (r *jxlReader) jxlRatio(height uint64, side func() uint64) (width uint64) {
	ratio := [8][2]uint64{{}, {1, 1}, {12, 10}, {4, 3}, {3, 2}, {16, 9}, {5, 4}, {2, 1}}[r.number(3)]
	if ratio[1] == 0 {
		return side()
	}
	return height * ratio[0] / ratio[1]
}

// jxlMetadata is what an ImageMetadata says, as far as it is needed.
type jxlMetadata struct {
	turned     bool // width and height change places
	depth      uint32
	associated bool // colours are multiplied by their alpha
	black      bool // there is a plane of black ink
}

// jxlMetadata reads an ImageMetadata up to its extra channels.
func (r *jxlReader) jxlMetadata() jxlMetadata {
	m := jxlMetadata{depth: 8}
	if r.flag() { // all is as usual
		return m
	}
	if r.flag() {
		m.turned = r.number(3) >= 4
		if r.flag() {
			r.jxlSize() // at which the picture is meant to be shown
		}
		if r.flag() {
			r.jxlPreview()
		}
		if r.flag() {
			r.jxlAnimation()
		}
	}
	m.depth = r.jxlDepth()
	r.flag() // 16 bits are enough to decode it
	for range r.choice(jxlForm{0, 0}, jxlForm{1, 0}, jxlForm{2, 4}, jxlForm{1, 12}) {
		if r.short {
			break
		}
		r.jxlChannel(&m)
	}
	return m
}

// jxlPreview reads a PreviewHeader.
func (r *jxlReader) jxlPreview() {
	eighths := r.flag()
	side := func() uint64 {
		if eighths {
			return 8 * uint64(r.choice(jxlForm{16, 0}, jxlForm{32, 0}, jxlForm{1, 5}, jxlForm{33, 9}))
		}
		return uint64(r.choice(jxlForm{1, 6}, jxlForm{65, 8}, jxlForm{321, 10}, jxlForm{1345, 12}))
	}
	r.jxlRatio(side(), side)
}

// jxlAnimation reads an AnimationHeader.
func (r *jxlReader) jxlAnimation() {
	r.choice(jxlForm{100, 0}, jxlForm{1000, 0}, jxlForm{1, 10}, jxlForm{1, 30})
	r.choice(jxlForm{1, 0}, jxlForm{1001, 0}, jxlForm{1, 8}, jxlForm{1, 10})
	r.choice(jxlForm{0, 0}, jxlForm{0, 3}, jxlForm{0, 16}, jxlForm{0, 32})
	r.flag()
}

// jxlDepth reads a BitDepth and returns how many bits a sample has.
func (r *jxlReader) jxlDepth() uint32 {
	if !r.flag() {
		return r.choice(jxlForm{8, 0}, jxlForm{10, 0}, jxlForm{12, 0}, jxlForm{1, 6})
	}
	depth := r.choice(jxlForm{32, 0}, jxlForm{16, 0}, jxlForm{24, 0}, jxlForm{1, 6})
	r.number(4) // bits of the exponent
	return depth
}

// Kinds of extra channels.
const (
	jxlAlpha = 0
	jxlSpot  = 2
	jxlBlack = 4
	jxlCFA   = 5
)

// jxlChannel reads an ExtraChannelInfo.
func (r *jxlReader) jxlChannel(m *jxlMetadata) {
	if r.flag() { // alpha, as usual
		return
	}
	kind := r.choice(jxlForm{0, 0}, jxlForm{1, 0}, jxlForm{2, 4}, jxlForm{18, 6})
	r.jxlDepth()
	r.choice(jxlForm{0, 0}, jxlForm{3, 0}, jxlForm{4, 0}, jxlForm{1, 3}) // its size
	name := r.choice(jxlForm{0, 0}, jxlForm{0, 4}, jxlForm{16, 5}, jxlForm{48, 10})
	for range name {
		r.number(8)
	}
	switch kind {
	case jxlAlpha:
		m.associated = m.associated || r.flag()
	case jxlSpot:
		for range 4 {
			r.number(16)
		}
	case jxlBlack:
		m.black = true
	case jxlCFA:
		r.choice(jxlForm{1, 0}, jxlForm{0, 2}, jxlForm{3, 4}, jxlForm{19, 8})
	}
}
