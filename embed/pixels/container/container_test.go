package container_test

import (
	"bytes"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"mekiki/embed/pixels/container"
)

// TestSizes reads the size of a picture from what the standard encoders write, and
// says of the beginning of such a file that it is damaged.
func TestSizes(t *testing.T) {
	picture := image.NewGray(image.Rect(0, 0, 37, 21))
	for name, format := range map[string]struct {
		encode  func(*bytes.Buffer) error
		inspect func([]byte) (container.Header, error)
	}{
		"JPEG": {func(out *bytes.Buffer) error { return jpeg.Encode(out, picture, nil) }, container.InspectJPEG},
		"PNG":  {func(out *bytes.Buffer) error { return png.Encode(out, picture) }, container.InspectPNG},
		"GIF":  {func(out *bytes.Buffer) error { return gif.Encode(out, picture, nil) }, container.InspectGIF},
	} {
		var file bytes.Buffer
		if err := format.encode(&file); err != nil {
			t.Fatal(err)
		}
		h, err := format.inspect(file.Bytes())
		if err != nil || h.Width != 37 || h.Height != 21 || h.Orientation != 1 || h.Working < 37*21 || h.Least > int64(file.Len()) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
		if _, err := format.inspect(file.Bytes()[:12]); !errors.Is(err, container.ErrCorrupt) {
			t.Errorf("%s of 12 bytes: %v", name, err)
		}
	}
}
