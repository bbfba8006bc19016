package pixels

import (
	"fmt"
	"image"
)

// header is what the first look at a file finds, before anything is decoded.
type header struct {
	format Format
	// width and height are of the whole picture as it is stored.
	width, height int
	// orientation is the EXIF value, 1 to 8.
	orientation int
	// working is the memory, in bytes, that the decoder needs for its own
	// image, at most.
	working int64
	// most is what the decoder may need of a rare file where working is what it
	// needs of others, and it keeps to what it is given; 0 where working is all.
	most int64
	// largest is the number of pixels in the largest picture inside the file,
	// where that can be more than width times height.
	largest int64
	// least is the smallest number of bytes that a whole file of this size and
	// kind can have.
	least int64
	// negative says that the decoder takes black for white.
	negative bool
	// ownSize says that the decoder crops and turns as it sees fit.
	ownSize bool
	// stored is the size of the decoder's image, and crop what is shown of it, where
	// that is not all.
	stored image.Point
	crop   image.Rectangle
	// depth is how many bits a sample has, where the decoder has to know.
	depth int
	// associated says that colours are multiplied by their alpha, where the decoder
	// does not say.
	associated bool
	// unmarked says that a JPEG of four inks does not say what they are.
	unmarked bool
	// damage says what is missing of a file that is read all the same, or "".
	damage string
	// frame is the first picture inside the canvas, for formats that have one.
	frame frame
}

// frame says where the first picture of an animation lies.
type frame struct {
	x, y, width, height int
	// data is a file of its own with just this picture, when one had to be
	// made.
	data []byte
	// transparency is the offset of the byte in a GIF that makes a colour
	// transparent, or 0.
	transparency int
}

// Info is what a file says about itself before it is decoded.
type Info struct {
	// Format is told from the content.
	Format Format
	// Width and Height are those of the upright image, in pixels.
	Width, Height int
	// Orientation is the EXIF orientation that decoding applies, 1 (upright)
	// to 8.
	Orientation int
}

// Inspect reads the header of an image file: cheap, and without the checks
// against limits that Decode makes. It fails with ErrUnsupported or
// ErrCorrupt.
func Inspect(data []byte) (Info, error) {
	h, err := inspect(data)
	if err != nil {
		return Info{}, err
	}
	info := Info{Format: h.format, Width: h.width, Height: h.height, Orientation: h.orientation}
	if h.orientation >= 5 {
		info.Width, info.Height = h.height, h.width
	}
	return info, nil
}

// inspect reads the header of an image file with our own parsers, which ask
// for no memory that depends on what the file says.
func inspect(data []byte) (header, error) {
	format, err := sniff(data)
	if err != nil {
		return header{}, err
	}
	k, _ := kindOf(format)
	h, err := k.inspect(data)
	if err != nil {
		return header{}, fmt.Errorf("%s: %w", format, err)
	}
	if h.width < 1 || h.height < 1 {
		return header{}, fmt.Errorf("%s: %w", format, corrupt("its size is %dx%d", h.width, h.height))
	}
	h.format = format
	if h.orientation < 1 || h.orientation > 8 {
		h.orientation = 1
	}
	return h, nil
}

// check compares a header with the limits and with the length of the file.
func (h header) check(length int, options Options) error {
	limit := options.MaxPixels
	if !h.reducible() {
		limit = min(limit, wholePixels)
	}
	if pixels := max(int64(h.width)*int64(h.height), h.largest); pixels > limit {
		return fmt.Errorf("%s: %w: it has %.1f million pixels, the limit is %.1f million", h.format, ErrTooLarge,
			float64(pixels)/1e6, float64(limit)/1e6)
	}
	if side := max(h.width, h.height); side > options.MaxSide {
		return fmt.Errorf("%s: %w: its longer side is %d pixels, the limit is %d", h.format, ErrTooLarge, side, options.MaxSide)
	}
	if int64(length) < h.least {
		return fmt.Errorf("%s: %w", h.format, corrupt("%d bytes cannot hold %dx%d pixels: the file is cut short",
			length, h.width, h.height))
	}
	return nil
}

// reducible reports whether the picture can be made smaller as it is read.
func (h header) reducible() bool {
	k, _ := kindOf(h.format)
	return k.reducible
}

// reduction is how many times narrower and lower a picture of very many pixels is
// made; 1 for any other.
func (h header) reduction() int {
	n := 1
	for h.reducible() && int64(h.width)*int64(h.height) > wholePixels*int64(n*n) {
		n *= 2
	}
	return n
}

// memory returns how many bytes decoding takes at most: the decoder's image,
// the RGB image, and a second one to turn it.
func (h header) memory() int64 {
	n := int64(h.reduction())
	rgb := 3 * (int64(h.width)/n + 1) * (int64(h.height)/n + 1)
	if h.orientation != 1 {
		rgb *= 2
	}
	return h.working + rgb
}
