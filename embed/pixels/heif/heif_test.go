package heif

import (
	"context"
	"errors"
	"image"
	"testing"

	"mekiki/embed/pixels/sandbox"
	"mekiki/embed/pixels/sandbox/sandboxtest"
)

// TestModuleIsThePublishedOne holds the module to the bytes that
// github.com/gen2brain/heic v0.4.5 publishes as lib/heif.wasm.gz.
func TestModuleIsThePublishedOne(t *testing.T) {
	sandboxtest.Module(t, module, "3634a6447ea3915633667f39e01ff540a60f4e2f837a8391d044d76dfd8a0435")
}

func TestDecode(t *testing.T) {
	r, data := sandboxtest.Start(t, "heic_444.heic")
	decode := func(ctx context.Context, limits sandbox.Limits, data []byte, used error) error {
		return Decode(ctx, r, limits, data, func(image.Image) error { return used })
	}
	t.Run("decodes", func(t *testing.T) {
		if err := decode(context.Background(), sandboxtest.Limits(), data, nil); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("stays within its bounds", func(t *testing.T) {
		long := append(data[:len(data):len(data)], make([]byte, 4<<20)...)
		sandboxtest.Bounds(t, decode, long, 3<<20) // into which 4 MB do not go
	})
	t.Run("refuses what is no picture", func(t *testing.T) { sandboxtest.NoPicture(t, decode, data, 100, len(data)/2) })
}

func TestLayoutRefusesStrangePictures(t *testing.T) {
	for _, f := range []facts{
		{0, 1, 0, 1, 0}, {1, 0, 0, 1, 0}, {1 << 31, 2, 0, 1, 0}, {2, 2, 7, 1, 0}, {2, 2, 0, 9, 0},
	} {
		if _, err := f.layout(); !errors.Is(err, sandbox.ErrDecode) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}
