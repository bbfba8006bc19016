// Package pixels reads image files and prepares them for a vision encoder.
//
// A Decoder turns the bytes of an image file, of a format that Formats lists,
// into an Image: upright 8-bit RGB, whatever colours, depth and orientation
// the file used. It looks at the header itself and refuses what is too large
// before any decoder asks for memory. Resize and Normalize then give a model
// exactly the numbers that Pillow and Hugging Face's image processor give it.
//
// Everything here is safe for concurrent use as long as nobody writes to an
// Image that another goroutine reads.
package pixels

import (
	"errors"
	"fmt"
	"image"
	"slices"

	"mekiki/embed/pixels/container"
)

// Image is 8-bit RGB without padding: row after row from the top, three bytes
// a pixel.
type Image struct {
	// Pix holds 3*Width*Height bytes: red, green, blue of the top left pixel
	// first. The stride is 3*Width.
	Pix []byte
	// Width and Height are in pixels, at least 1 each.
	Width, Height int
	// Format is what the image was decoded from, or "" when it was made.
	Format Format
	// Damage says what is wrong with a file that was read only in part; "" for a
	// whole one.
	Damage string
	// Reduced is how many times wider and higher the picture in the file is, where
	// it was made smaller because it has very many pixels; 0 where it was not.
	Reduced int
	// FullWidth and FullHeight are the upright size of the picture in the file;
	// zero where they are Width and Height.
	FullWidth, FullHeight int
}

// FullSize gives the upright size of the picture in the file, in pixels.
func (m *Image) FullSize() (width, height int) {
	if m.Reduced == 0 {
		return m.Width, m.Height
	}
	return m.FullWidth, m.FullHeight
}

// Errors that say why a file gave no image. Test for them with errors.Is; the
// message of the error that wraps them says what was found.
var (
	// ErrTooLarge means that a file or its picture is above a limit of Options.
	ErrTooLarge = errors.New("image is too large")
	// ErrUnsupported means that the file is no image, or one of a kind that
	// cannot be read.
	ErrUnsupported = container.ErrUnsupported
	// ErrCorrupt means that the file is damaged or cut short.
	ErrCorrupt = container.ErrCorrupt
)

// New returns a black image of the given size, or an error when a side is
// below 1 or the image would not fit in memory.
func New(width, height int) (*Image, error) {
	size, err := sizeOf(width, height)
	if err != nil {
		return nil, fmt.Errorf("make image: %w", err)
	}
	return &Image{Pix: make([]byte, size), Width: width, Height: height}, nil
}

// sizeOf returns the number of bytes in an image of the given size.
func sizeOf(width, height int) (int, error) {
	const maximum = 1 << 40
	if width < 1 || height < 1 || int64(width) > maximum/3/int64(height) {
		return 0, fmt.Errorf("%dx%d is no usable size", width, height)
	}
	return 3 * width * height, nil
}

// Clone returns a copy of m.
func (m *Image) Clone() *Image {
	out := *m
	out.Pix = slices.Clone(m.Pix)
	return &out
}

// Bounds returns the rectangle from (0, 0) to (Width, Height).
func (m *Image) Bounds() image.Rectangle { return image.Rect(0, 0, m.Width, m.Height) }

// valid reports whether the fields of m agree with one another.
func (m *Image) valid() bool {
	return m != nil && m.Width > 0 && m.Height > 0 && len(m.Pix)/3/m.Width >= m.Height
}
