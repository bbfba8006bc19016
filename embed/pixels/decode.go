package pixels

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// Decoder turns image files into Images within the limits of its Options. It
// is safe for concurrent use. Close it to give back what decoding HEIC needs.
type Decoder struct {
	options Options
}

// NewDecoder returns a Decoder, or every problem with the options.
func NewDecoder(options Options) (*Decoder, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("image decoder options: %w", err)
	}
	return &Decoder{options: options.withDefaults()}, nil
}

// Close releases what the decoder holds. No decoding may be going on.
func (d *Decoder) Close() error { return nil }

// Decode reads an image file from memory. The format is told from the content,
// never from a name. Of an animation or a file of several pictures it reads
// the first. It fails with ErrTooLarge, ErrUnsupported, ErrCorrupt or the
// context's error.
func (d *Decoder) Decode(ctx context.Context, data []byte) (*Image, error) {
	if int64(len(data)) > d.options.MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, more than the limit of %d", ErrTooLarge, len(data), d.options.MaxBytes)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if int64(config.Width)*int64(config.Height) > d.options.MaxPixels {
		return nil, fmt.Errorf("%w: %dx%d pixels", ErrTooLarge, config.Width, config.Height)
	}
	release, err := d.options.Memory.acquire(ctx, int64(config.Width)*int64(config.Height)*8)
	if err != nil {
		return nil, err
	}
	defer release()
	decoded, name, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	rgba := image.NewRGBA(image.Rect(0, 0, decoded.Bounds().Dx(), decoded.Bounds().Dy()))
	draw.Draw(rgba, rgba.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(rgba, rgba.Bounds(), decoded, decoded.Bounds().Min, draw.Over)
	out, err := New(rgba.Rect.Dx(), rgba.Rect.Dy())
	if err != nil {
		return nil, err
	}
	out.Format = Format(name)
	for from, to := 0, 0; to < len(out.Pix); from, to = from+4, to+3 {
		copy(out.Pix[to:to+3], rgba.Pix[from:from+3])
	}
	return out, nil
}

// Decode reads an image file from memory with a Decoder made for this one
// call. Use a Decoder to read many.
func Decode(ctx context.Context, data []byte, options Options) (*Image, error) {
	decoder, err := NewDecoder(options)
	if err != nil {
		return nil, err
	}
	defer decoder.Close()
	return decoder.Decode(ctx, data)
}
