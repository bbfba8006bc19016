package pixels

import (
	"context"
	"image"
	"image/jpeg"

	"mekiki/embed/pixels/avif"
	"mekiki/embed/pixels/jxl"
	"mekiki/embed/pixels/sandbox"
)

// limits returns what the decoder in the sandbox may take.
func (h header) limits() sandbox.Limits {
	return sandbox.LimitsOf(max(int64(h.Width)*int64(h.Height), h.Largest), h.Working)
}

// decodeAVIF gives what is shown of the decoder's picture to use.
func decodeAVIF(d *Decoder, ctx context.Context, data []byte, h header, use func(image.Image) error) error {
	return avif.Decode(ctx, d.codecs, h.limits(), data, h.Stored, func(m *image.RGBA) error {
		if h.Crop.Empty() {
			return use(m)
		}
		return use(m.SubImage(h.Crop))
	})
}

func decodeJXL(d *Decoder, ctx context.Context, data []byte, h header, use func(image.Image) error) error {
	facts := jxl.Facts{Width: h.Width, Height: h.Height, Depth: h.Depth, Associated: h.Associated}
	return jxl.Decode(ctx, d.codecs, h.limits(), data, facts, use)
}

// decodeRAW decodes the preview of a file.
func decodeRAW(_ *Decoder, ctx context.Context, _ []byte, h header, use func(image.Image) error) error {
	decoded, err := jpeg.Decode(newSource(ctx, h.Frame.Data))
	if err != nil {
		return err
	}
	return use(decoded)
}
