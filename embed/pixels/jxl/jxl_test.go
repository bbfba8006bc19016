package jxl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"os"
	"testing"

	"mekiki/embed/pixels/sandbox"
)

// TestModuleIsThePublishedOne holds the module to the bytes that
// github.com/gen2brain/jpegxl v0.4.5 publishes as lib/decode.wasm.gz.
func TestModuleIsThePublishedOne(t *testing.T) {
	const want = "9ab633d753803618fb8984743f37507eed76eae740b928c9fee6a6aad7e6a19f"
	sum := sha256.Sum256(module)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s", got)
	}
}

var (
	limits = sandbox.Limits{Memory: 64 << 20, Breaks: 1000}
	facts  = Facts{Width: 67, Height: 45, Depth: 8}
)

func TestDecode(t *testing.T) {
	r := sandbox.New()
	defer r.Close(context.Background())
	data, err := os.ReadFile("../testdata/files/jxl_lossy.jxl")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("stays within its bounds", func(t *testing.T) { testBounds(t, r, data) })
	t.Run("refuses what is no picture", func(t *testing.T) { testNoPicture(t, r, data) })
}

func testBounds(t *testing.T, r *sandbox.Runtime, data []byte) {
	wanted := errors.New("from use")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx    context.Context
		limits sandbox.Limits
		want   error
	}{
		{context.Background(), limits, wanted},
		{cancelled, limits, context.Canceled},
		{context.Background(), sandbox.Limits{Memory: 1 << 20, Breaks: 1000}, sandbox.ErrMemory},
		{context.Background(), sandbox.Limits{Memory: 64 << 20}, sandbox.ErrTime},
	} {
		err := Decode(c.ctx, r, c.limits, data, facts, func(image.Image) error { return wanted })
		if !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.limits, err, c.want)
		}
	}
}

func testNoPicture(t *testing.T, r *sandbox.Runtime, data []byte) {
	for at, bad := range [][]byte{nil, []byte("hello"), data[:100], data[:len(data)/2], data[:len(data)-20]} {
		err := Decode(context.Background(), r, limits, bad, facts, func(image.Image) error { return nil })
		if !errors.Is(err, sandbox.ErrDecode) {
			t.Errorf("%d: %d bytes: %v", at, len(bad), err)
		}
	}
	if err := Decode(context.Background(), r, limits, data, Facts{Width: 67, Height: 46, Depth: 8}, func(image.Image) error { return nil }); !errors.Is(err, sandbox.ErrDecode) {
		t.Errorf("another size: %v", err)
	}
}
