package jxl

import (
	"context"
	"errors"
	"image"
	"testing"

	"mekiki/embed/pixels/sandbox"
	"mekiki/embed/pixels/sandbox/sandboxtest"
)

// TestModuleIsThePublishedOne holds the module to the bytes that
// github.com/gen2brain/jpegxl v0.4.5 publishes as lib/decode.wasm.gz.
func TestModuleIsThePublishedOne(t *testing.T) {
	sandboxtest.Module(t, module, "9ab633d753803618fb8984743f37507eed76eae740b928c9fee6a6aad7e6a19f")
}

func TestDecode(t *testing.T) {
	r, data := sandboxtest.Start(t, "jxl_lossy.jxl")
	as := func(header Facts) sandboxtest.Decode {
		return func(ctx context.Context, limits sandbox.Limits, data []byte, used error) error {
			return Decode(ctx, r, limits, data, header, func(image.Image) error { return used })
		}
	}
	decode := as(Facts{Width: 67, Height: 45, Depth: 8})
	t.Run("stays within its bounds", func(t *testing.T) { sandboxtest.Bounds(t, decode, data, 1<<20) })
	t.Run("refuses what is no picture", func(t *testing.T) {
		sandboxtest.NoPicture(t, decode, data, 100, len(data)/2, len(data)-20)
		if err := as(Facts{Width: 67, Height: 46, Depth: 8})(context.Background(), sandboxtest.Limits(), data, nil); !errors.Is(err, sandbox.ErrDecode) {
			t.Errorf("another size: %v", err)
		}
	})
}
