package pixels

import (
	"errors"
	"fmt"

	"mekiki/embed/pixels/resample"
)

// Resize returns m at another size, equal to the bit to Image.resize((width,
// height), BICUBIC) of an RGB image in Pillow 13: a cubic filter with a = -0.5
// that widens as the image shrinks, its weights in 22-bit fixed point, applied
// along one axis, rounded to bytes, and then along the other. Columns come
// first only where the height shrinks by more than twice as many pixels as the
// width; older versions of Pillow always start with the rows, and differ there
// by a level or so.
func Resize(m *Image, width, height int) (*Image, error) {
	if !m.valid() {
		return nil, errors.New("resize: the image is empty")
	}
	if _, err := sizeOf(width, height); err != nil {
		return nil, fmt.Errorf("resize: %w", err)
	}
	lost := m.Height - height
	steps := []func(*Image) (*Image, error){
		func(m *Image) (*Image, error) { return resizeWidth(m, width) },
		func(m *Image) (*Image, error) { return resizeHeight(m, height) },
	}
	if lost > 0 && lost > 2*(m.Width-width) {
		steps[0], steps[1] = steps[1], steps[0]
	}
	out := m
	for _, step := range steps {
		var err error
		if out, err = step(out); err != nil {
			return nil, fmt.Errorf("resize: %w", err)
		}
	}
	if out == m {
		out = m.Clone()
	}
	return out, nil
}

// resizeWidth resamples every row; it returns m itself when nothing changes.
func resizeWidth(m *Image, width int) (*Image, error) {
	if width == m.Width {
		return m, nil
	}
	out, err := New(width, m.Height)
	if err != nil {
		return nil, err
	}
	out.Format = m.Format
	resample.Rows(out.Pix, m.Pix, m.Width, width, m.Height)
	return out, nil
}

// resizeHeight resamples every column; it returns m itself when nothing
// changes.
func resizeHeight(m *Image, height int) (*Image, error) {
	if height == m.Height {
		return m, nil
	}
	out, err := New(m.Width, height)
	if err != nil {
		return nil, err
	}
	out.Format = m.Format
	resample.Columns(out.Pix, m.Pix, m.Width, m.Height, height)
	return out, nil
}
