// Package avif decodes AVIF pictures with libavif and libaom, compiled to
// WebAssembly and run in a sandbox.
//
// The WebAssembly module is the one that github.com/gen2brain/avif v0.4.4
// carries (libavif 1.1.1, libaom 3.10.0 and libyuv; the licences are beside this
// file). We run it ourselves instead of calling that package, because it sets no
// bound to memory, cannot be cancelled, takes a picture that is cut short for a
// black one, and loads any libavif that it finds on the system when the program
// starts.
package avif

import (
	"context"
	_ "embed" // module
	"encoding/binary"
	"fmt"
	"image"

	"mekiki/embed/pixels/sandbox"
)

//go:embed avif.wasm.gz
var module []byte

// Decode decodes the first picture of a file, which has to be of the given size in
// pixels, and gives it to use, as it is stored: neither cropped nor turned. It is
// 8-bit, its colours multiplied by their alpha, and valid only until use returns.
// Decode fails with sandbox.ErrDecode and its like, with what kept the decoder
// from starting, or with the error of use.
func Decode(ctx context.Context, r *sandbox.Runtime, limits sandbox.Limits, data []byte, size image.Point, use func(*image.RGBA) error) error {
	m := sandbox.Module{Name: "the AVIF decoder", Compressed: module}
	return r.Run(ctx, m, limits, func(instance *sandbox.Instance) error {
		picture, err := decode(ctx, instance, data, size)
		if err != nil {
			return err
		}
		return use(picture)
	})
}

// facts is what the decoder says of a picture.
type facts struct{ width, height, depth, count uint32 }

// The decoder's module writes four numbers, and after them how long the picture is
// shown.
const (
	factCount = 4
	factBytes = 4 * factCount
)

// unwritten stands where the decoder writes how long the picture is shown: it says
// nothing else when it could not decode it. No duration is this number, which is NaN.
const unwritten = ^uint64(0)

// decode runs the decoder twice: for the facts, and for the pixels.
func decode(ctx context.Context, instance *sandbox.Instance, data []byte, size image.Point) (*image.RGBA, error) {
	input, err := instance.Put(ctx, data)
	if err != nil {
		return nil, err
	}
	at, err := instance.Put(ctx, binary.LittleEndian.AppendUint64(make([]byte, factBytes), unwritten))
	if err != nil {
		return nil, err
	}
	f, err := call(ctx, instance, input, len(data), at, 0)
	if err != nil {
		return nil, err
	}
	if int64(f.width) != int64(size.X) || int64(f.height) != int64(size.Y) || f.depth > 16 {
		return nil, fmt.Errorf("%w: its picture is %dx%d of %d bits", sandbox.ErrDecode, f.width, f.height, f.depth)
	}
	bytes := 4 * int64(size.X) * int64(size.Y)
	stored := bytes
	if f.depth > 8 {
		stored *= 2
	}
	output, err := instance.Allocate(ctx, stored)
	if err != nil {
		return nil, err
	}
	after, err := call(ctx, instance, input, len(data), at, output)
	if err = sandbox.Unchanged(f, after, err); err != nil {
		return nil, err
	}
	shown, err := instance.Bytes(at+factBytes, 8)
	if err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint64(shown) == unwritten {
		return nil, instance.Failed()
	}
	pixels, err := instance.Bytes(output, stored)
	if err != nil {
		return nil, err
	}
	if stored > bytes {
		pixels = narrow(pixels)
	}
	return &image.RGBA{Pix: pixels, Stride: 4 * size.X, Rect: image.Rectangle{Max: size}}, nil
}

// call runs the module's one function and returns the facts; without an output,
// only those are read.
func call(ctx context.Context, instance *sandbox.Instance, input uint32, length int, at, output uint32) (facts, error) {
	only := uint64(0)
	if output == 0 {
		only = 1
	}
	const firstOnly = 0
	ok, err := instance.Call(ctx, "decode", uint64(input), uint64(length), only, firstOnly,
		uint64(at), uint64(at+4), uint64(at+8), uint64(at+12), uint64(at+factBytes), uint64(output))
	if err != nil {
		return facts{}, err
	}
	if ok == 0 {
		return facts{}, instance.Failed()
	}
	var v [factCount]uint32
	err = instance.Numbers(at, v[:])
	return facts{v[0], v[1], v[2], v[3]}, err
}

// narrow makes samples of 16 bits, little-endian, 8 bits wide, in their place.
func narrow(pixels []byte) []byte {
	half := pixels[:len(pixels)/2]
	for i := range half {
		value := uint32(binary.LittleEndian.Uint16(pixels[2*i:]))
		half[i] = byte((value*255 + 32895) >> 16)
	}
	return half
}
