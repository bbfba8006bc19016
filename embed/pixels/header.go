package pixels

import (
	"fmt"

	"mekiki/embed/pixels/container"
)

// header is what the first look at a file finds, before anything is decoded.
type header struct {
	container.Header
	format Format
}

// inspect reads the header of an image file with our own parsers, which ask
// for no memory that depends on what the file says.
func inspect(data []byte) (header, error) {
	format, err := sniff(data)
	if err != nil {
		return header{}, err
	}
	k, _ := kindOf(format)
	h := header{format: format}
	h.Header, err = k.inspect(data)
	if err != nil {
		return header{}, fmt.Errorf("%s: %w", format, err)
	}
	if h.Width < 1 || h.Height < 1 {
		return header{}, fmt.Errorf("%s: %w", format, container.Corrupt("its size is %dx%d", h.Width, h.Height))
	}
	if h.Orientation < 1 || h.Orientation > 8 {
		h.Orientation = 1
	}
	return h, nil
}

// check compares a header with the limits and with the length of the file.
func (h header) check(length int, options Options) error {
	limit := options.MaxPixels
	if !h.reducible() {
		limit = min(limit, WholePixels)
	}
	if pixels := max(int64(h.Width)*int64(h.Height), h.Largest); pixels > limit {
		return fmt.Errorf("%s: %w: it has %.1f million pixels, the limit is %.1f million", h.format, ErrTooLarge,
			float64(pixels)/1e6, float64(limit)/1e6)
	}
	if side := max(h.Width, h.Height); side > options.MaxSide {
		return fmt.Errorf("%s: %w: its longer side is %d pixels, the limit is %d", h.format, ErrTooLarge, side, options.MaxSide)
	}
	if int64(length) < h.Least {
		return fmt.Errorf("%s: %w", h.format, container.Corrupt("%d bytes cannot hold %dx%d pixels: the file is cut short",
			length, h.Width, h.Height))
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
	for h.reducible() && int64(h.Width)*int64(h.Height) > WholePixels*int64(n*n) {
		n *= 2
	}
	return n
}

// memory returns how many bytes decoding takes at most: the decoder's image,
// the RGB image, and a second one to turn it.
func (h header) memory() int64 {
	n := int64(h.reduction())
	rgb := 3 * (int64(h.Width)/n + 1) * (int64(h.Height)/n + 1)
	if h.Orientation != 1 {
		rgb *= 2
	}
	return h.Working + rgb
}

// sniff tells the format from the first bytes of a file. Of a kind of file
// that it knows but that is no readable image, the error says which it is.
func sniff(data []byte) (Format, error) {
	for _, k := range kinds() {
		if k.begins(data) {
			return k.name, nil
		}
	}
	return "", container.Unreadable(data)
}

// Begins reports whether a file may be an image that a Decoder reads, by its first
// bytes: what it is, is told only from the whole file.
func Begins(head []byte) bool {
	_, err := sniff(head)
	return err == nil
}
