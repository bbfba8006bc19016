// Package jxl decodes JPEG XL pictures with libjxl, compiled to WebAssembly and
// run in a sandbox.
//
// The WebAssembly module is the one that github.com/gen2brain/jpegxl v0.4.5
// carries (libjxl 0.11.0; the licence is beside this file). We run it ourselves
// instead of calling that package, because it sets no bound to memory, cannot be
// cancelled, and loads any libjxl that it finds on the system when the program
// starts.
package jxl

import (
	"context"
	_ "embed" // module
	"fmt"
	"image"

	"mekiki/embed/pixels/sandbox"
)

//go:embed jxl.wasm.gz
var module []byte

// Facts is what the header of a picture says.
type Facts struct {
	// Width and Height are of the upright picture, in pixels.
	Width, Height int
	// Depth is how many bits a sample has.
	Depth int
	// Associated says that colours are multiplied by their alpha.
	Associated bool
}

// bytes returns the size of the decoder's picture: four samples a pixel.
func (f Facts) bytes() int64 {
	size := 4 * int64(f.Width) * int64(f.Height)
	if f.Depth == 16 {
		size *= 2
	}
	return size
}

// picture returns the pixels as an image.
func (f Facts) picture(pixels []byte) image.Image {
	rectangle := image.Rect(0, 0, f.Width, f.Height)
	switch deep := f.Depth == 16; {
	case deep && f.Associated:
		return &image.RGBA64{Pix: pixels, Stride: 8 * f.Width, Rect: rectangle}
	case deep:
		return &image.NRGBA64{Pix: pixels, Stride: 8 * f.Width, Rect: rectangle}
	case f.Associated:
		return &image.RGBA{Pix: pixels, Stride: 4 * f.Width, Rect: rectangle}
	}
	return &image.NRGBA{Pix: pixels, Stride: 4 * f.Width, Rect: rectangle}
}

// Decode decodes the first picture of a file, which has to be what its header
// says, and gives it to use, upright, as an *image.NRGBA, *image.NRGBA64, or one
// of their like with associated alpha, that is valid only until use returns. It fails with sandbox.ErrDecode and its like,
// with what kept the decoder from starting, or with the error of use.
func Decode(ctx context.Context, r *sandbox.Runtime, limits sandbox.Limits, data []byte, header Facts, use func(image.Image) error) error {
	m := sandbox.Module{Name: "the JPEG XL decoder", Compressed: module}
	return r.Run(ctx, m, limits, func(instance *sandbox.Instance) error {
		pixels, err := decode(ctx, instance, data, header)
		if err != nil {
			return err
		}
		return use(header.picture(pixels))
	})
}

// factCount is how many numbers the decoder's module writes: width, height, depth,
// how many pictures there are, and how long the first is shown.
const factCount = 5

// decode runs the decoder. It is not asked for the facts alone, because it would
// then go through every picture of an animation.
func decode(ctx context.Context, instance *sandbox.Instance, data []byte, header Facts) ([]byte, error) {
	input, at, err := instance.PutWithFacts(ctx, data, 4*factCount)
	if err != nil {
		return nil, err
	}
	output, err := instance.Allocate(ctx, header.bytes())
	if err != nil {
		return nil, err
	}
	const pixelsToo, firstOnly = 0, 0
	ok, err := instance.Call(ctx, "decode", uint64(input), uint64(len(data)), pixelsToo, firstOnly,
		uint64(at), uint64(at+4), uint64(at+8), uint64(at+12), uint64(at+16), uint64(output))
	if err != nil {
		return nil, err
	}
	if ok == 0 {
		return nil, instance.Failed()
	}
	var v [factCount]uint32
	if err := instance.Numbers(at, v[:]); err != nil {
		return nil, err
	}
	if int(v[0]) != header.Width || int(v[1]) != header.Height || int(v[2]) != header.Depth {
		return nil, fmt.Errorf("%w: its picture is %dx%d of %d bits", sandbox.ErrDecode, v[0], v[1], v[2])
	}
	return instance.Bytes(output, header.bytes())
}
