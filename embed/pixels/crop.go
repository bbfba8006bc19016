package pixels

import (
	"fmt"
	"image"
)

// Crop returns a copy of the part of m inside the rectangle, which is in
// pixels from the top left and is clipped to the image. It fails when nothing
// is left.
func Crop(m *Image, rectangle image.Rectangle) (*Image, error) {
	part := rectangle.Intersect(m.Bounds())
	if part.Empty() {
		return nil, fmt.Errorf("crop %v lies outside the %dx%d image", rectangle, m.Width, m.Height)
	}
	out, err := New(part.Dx(), part.Dy())
	if err != nil {
		return nil, err
	}
	out.Format = m.Format
	for y := range out.Height {
		from := 3 * ((part.Min.Y+y)*m.Width + part.Min.X)
		copy(out.Pix[3*y*out.Width:3*(y+1)*out.Width], m.Pix[from:])
	}
	return out, nil
}
