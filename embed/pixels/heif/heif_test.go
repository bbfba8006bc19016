package heif

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"os"
	"testing"
)

func readFile(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("../testdata/files/heic_444.heic")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestModuleIsThePublishedOne holds the module to the bytes that
// github.com/gen2brain/heic v0.4.5 publishes as lib/heif.wasm.gz.
func TestModuleIsThePublishedOne(t *testing.T) {
	const want = "3634a6447ea3915633667f39e01ff540a60f4e2f837a8391d044d76dfd8a0435"
	sum := sha256.Sum256(module)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s", got)
	}
}

func TestDecode(t *testing.T) {
	r := New(1 << 28)
	defer r.Close(context.Background())
	t.Run("honours its context", func(t *testing.T) { testContext(t, r) })
	t.Run("refuses what is no picture", func(t *testing.T) { testNoPicture(t, r) })
}

func testContext(t *testing.T, r *Runtime) {
	use := func(image.Image) error { return nil }
	if err := r.Decode(context.Background(), readFile(t), use); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Decode(ctx, readFile(t), use); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	wanted := errors.New("from use")
	if err := r.Decode(context.Background(), readFile(t), func(image.Image) error { return wanted }); !errors.Is(err, wanted) {
		t.Errorf("got %v", err)
	}
}

func TestDecodeStaysWithinItsMemory(t *testing.T) {
	r := New(3 << 20)
	defer r.Close(context.Background())
	data := append(readFile(t), make([]byte, 4<<20)...)
	err := r.Decode(context.Background(), data, func(image.Image) error { return nil })
	if err == nil {
		t.Fatal("4 MB went into 3")
	}
	t.Log(err)
}

func testNoPicture(t *testing.T, r *Runtime) {
	data := readFile(t)
	for _, bad := range [][]byte{nil, []byte("hello"), data[:100], data[:len(data)/2]} {
		err := r.Decode(context.Background(), bad, func(image.Image) error { return nil })
		if !errors.Is(err, ErrDecode) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func TestLayoutRefusesStrangePictures(t *testing.T) {
	for _, f := range []facts{
		{0, 1, 0, 1, 0}, {1, 0, 0, 1, 0}, {1 << 31, 2, 0, 1, 0}, {2, 2, 7, 1, 0}, {2, 2, 0, 9, 0},
	} {
		if _, err := f.layout(); !errors.Is(err, ErrDecode) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}
