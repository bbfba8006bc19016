// Package heif decodes HEIC pictures with libheif and libde265, compiled to
// WebAssembly and run in a sandbox.
//
// The WebAssembly module is the one that github.com/gen2brain/heic v0.4.5
// carries (libheif 1.18.2 and libde265 1.0.15, both LGPL-3.0; the licences are
// beside this file). We run it ourselves instead of calling that package,
// because it sets no bound to memory, cannot be cancelled, and loads any
// libheif that it finds on the system when the program starts.
package heif

import (
	"context"
	_ "embed" // module
	"image"

	"mekiki/embed/pixels/sandbox"
)

//go:embed heif.wasm.gz
var module []byte

// Decode decodes the primary picture of a file and gives it to use, as an
// *image.YCbCr, *image.Gray or *image.NRGBA that is valid only until use
// returns. It fails with sandbox.ErrDecode and its like, with what kept the
// decoder from starting, or with the error of use.
func Decode(ctx context.Context, r *sandbox.Runtime, limits sandbox.Limits, data []byte, use func(image.Image) error) error {
	m := sandbox.Module{Name: "the HEIC decoder", Compressed: module}
	return r.Run(ctx, m, limits, func(instance *sandbox.Instance) error {
		picture, err := decode(ctx, instance, data)
		if err != nil {
			return err
		}
		return use(picture)
	})
}

// facts is what the decoder says of a picture.
type facts struct{ width, height, colourSpace, chroma, premultiplied uint32 }

const factCount = 5

// decode runs the decoder twice: for the facts, and for the pixels.
func decode(ctx context.Context, instance *sandbox.Instance, data []byte) (image.Image, error) {
	input, at, err := instance.PutWithFacts(ctx, data, 4*factCount)
	if err != nil {
		return nil, err
	}
	f, err := call(ctx, instance, input, len(data), at, 0)
	if err != nil {
		return nil, err
	}
	l, err := f.layout()
	if err != nil {
		return nil, err
	}
	output, err := instance.Allocate(ctx, l.size)
	if err != nil {
		return nil, err
	}
	after, err := call(ctx, instance, input, len(data), at, output)
	if err = sandbox.Unchanged(f, after, err); err != nil {
		return nil, err
	}
	pixels, err := instance.Bytes(output, l.size)
	if err != nil {
		return nil, err
	}
	return l.picture(pixels), nil
}

// call runs the module's one function and returns the facts; without an output,
// only those are read.
func call(ctx context.Context, instance *sandbox.Instance, input uint32, length int, at, output uint32) (facts, error) {
	only := uint64(0)
	if output == 0 {
		only = 1
	}
	parameters := []uint64{uint64(input), uint64(length), only}
	for i := range uint32(factCount) {
		parameters = append(parameters, uint64(at+4*i))
	}
	ok, err := instance.Call(ctx, "decode", append(parameters, uint64(output))...)
	if err != nil {
		return facts{}, err
	}
	if ok == 0 {
		return facts{}, instance.Failed()
	}
	var v [factCount]uint32
	err = instance.Numbers(at, v[:])
	return facts{v[0], v[1], v[2], v[3], v[4]}, err
}
