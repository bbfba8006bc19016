package pixels

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// Decoder turns image files into Images within the limits of its Options. It
// is safe for concurrent use. Close it to give back what decoding HEIC needs.
type Decoder struct {
	options Options
	ground  ground
}

// NewDecoder returns a Decoder, or every problem with the options.
func NewDecoder(options Options) (*Decoder, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("image decoder options: %w", err)
	}
	options = options.withDefaults()
	return &Decoder{
		options: options,
		ground:  ground{drop: options.Alpha == DropAlpha, color: *options.Background},
	}, nil
}

// Close releases what the decoder holds. No decoding may be going on.
func (d *Decoder) Close() error { return nil }

// Decode reads an image file from memory. The format is told from the content,
// never from a name. Of an animation or a file of several pictures it reads
// the first. It fails with ErrTooLarge, ErrUnsupported, ErrCorrupt or the
// context's error; whatever the bytes are, it does not panic, and it asks for
// no more memory than the limits allow.
func (d *Decoder) Decode(ctx context.Context, data []byte) (*Image, error) {
	if int64(len(data)) > d.options.MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, len(data), d.options.MaxBytes)
	}
	h, err := inspect(data)
	if err != nil {
		return nil, err
	}
	if err := h.check(len(data), d.options); err != nil {
		return nil, err
	}
	release, err := d.options.Memory.acquire(ctx, h.memory())
	if err != nil {
		return nil, err
	}
	defer release()
	m, err := d.decode(ctx, data, h)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, describe(h.format, err)
	}
	return m, nil
}

// describe gives a decoder's error a kind and the format's name.
func describe(format Format, err error) error {
	var jpegGap jpeg.UnsupportedError
	var pngGap png.UnsupportedError
	var tiffGap tiff.UnsupportedError
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrUnsupported), errors.Is(err, ErrCorrupt):
		return fmt.Errorf("%s: %w", format, err)
	case errors.As(err, &jpegGap), errors.As(err, &pngGap), errors.As(err, &tiffGap),
		errors.Is(err, bmp.ErrUnsupported):
		return fmt.Errorf("%s: %w: %w", format, ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w: %w", format, ErrCorrupt, err)
}

// decode runs the format's decoder and makes upright RGB of what it gives.
func (d *Decoder) decode(ctx context.Context, data []byte, h header) (*Image, error) {
	decoded, err := d.run(ctx, data, h)
	if err != nil {
		return nil, err
	}
	size := decoded.Bounds().Size()
	wantWidth, wantHeight := h.width, h.height
	if h.frame.width != 0 {
		wantWidth, wantHeight = h.frame.width, h.frame.height
	}
	if size.X != wantWidth || size.Y != wantHeight {
		return nil, corrupt("the picture is %dx%d, its header says %dx%d", size.X, size.Y, wantWidth, wantHeight)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := New(h.width, h.height)
	if err != nil {
		return nil, err
	}
	out.Format = h.format
	if size.X != h.width || size.Y != h.height {
		out.fill(d.ground.color)
	}
	if err := guard(func() error { d.ground.convert(out, h.frame.x, h.frame.y, decoded); return nil }); err != nil {
		return nil, err
	}
	return upright(out, h.orientation), nil
}

// run calls the decoder of the file's format.
func (d *Decoder) run(ctx context.Context, data []byte, h header) (decoded image.Image, err error) {
	err = guard(func() (err error) {
		switch h.format {
		case JPEG:
			decoded, err = jpeg.Decode(newSource(ctx, data))
		case PNG:
			decoded, err = png.Decode(newSource(ctx, data))
		case GIF:
			decoded, err = gif.Decode(newSource(ctx, d.opaqueGIF(data, h)))
		case WebP:
			if h.frame.data != nil {
				data = h.frame.data
			}
			decoded, err = webp.Decode(newSource(ctx, data))
		case BMP:
			decoded, err = bmp.Decode(newSource(ctx, data))
		case TIFF:
			decoded, err = tiff.Decode(newSource(ctx, data))
		default:
			err = unsupported("no decoder")
		}
		return err
	})
	return decoded, err
}

// opaqueGIF returns the file without its transparent colour when transparency
// is to be dropped, because the decoder forgets what colour that was.
func (d *Decoder) opaqueGIF(data []byte, h header) []byte {
	if !d.ground.drop || h.frame.transparency == 0 {
		return data
	}
	data = append([]byte(nil), data...)
	data[h.frame.transparency] &^= 1
	return data
}

// guard runs a decoder and turns a panic of its into an error: a file that
// trips one must cost nothing but itself.
func guard(run func() error) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = corrupt("the decoder gave up: %v", reason)
		}
	}()
	return run()
}

// Decode reads an image file from memory with a Decoder made for this one
// call. Use a Decoder to read many.
func Decode(ctx context.Context, data []byte, options Options) (*Image, error) {
	decoder, err := NewDecoder(options)
	if err != nil {
		return nil, err
	}
	m, err := decoder.Decode(ctx, data)
	return m, errors.Join(err, decoder.Close())
}
