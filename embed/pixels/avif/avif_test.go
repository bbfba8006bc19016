package avif

import (
	"context"
	"errors"
	"image"
	"testing"

	"mekiki/embed/pixels/sandbox"
	"mekiki/embed/pixels/sandbox/sandboxtest"
)

// TestModuleIsThePublishedOne holds the module to the bytes that
// github.com/gen2brain/avif v0.4.4 publishes as lib/decode.wasm.gz.
func TestModuleIsThePublishedOne(t *testing.T) {
	sandboxtest.Module(t, module, "1ee2423413384d54b3fa4e2882424d60a2a05f5fe7ec573535fdb6b531071a9b")
}

func TestDecode(t *testing.T) {
	r, data := sandboxtest.Start(t, "avif_444.avif")
	as := func(size image.Point) sandboxtest.Decode {
		return func(ctx context.Context, limits sandbox.Limits, data []byte, used error) error {
			return Decode(ctx, r, limits, data, size, func(*image.RGBA) error { return used })
		}
	}
	decode := as(image.Pt(67, 45))
	t.Run("stays within its bounds", func(t *testing.T) { sandboxtest.Bounds(t, decode, data, 1<<20) })
	t.Run("refuses what is no picture", func(t *testing.T) {
		// Of a picture that is cut short the decoder itself reports success and gives a
		// black one.
		sandboxtest.NoPicture(t, decode, data, 100, len(data)/2, len(data)-20)
		if err := as(image.Pt(67, 46))(context.Background(), sandboxtest.Limits(), data, nil); !errors.Is(err, sandbox.ErrDecode) {
			t.Errorf("another size: %v", err)
		}
	})
}
