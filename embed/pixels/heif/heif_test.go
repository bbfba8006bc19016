package heif

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
	r := sandbox.New()
	defer r.Close(context.Background())
	t.Run("honours its context", func(t *testing.T) { testContext(t, r) })
	t.Run("refuses what is no picture", func(t *testing.T) { testNoPicture(t, r) })
	t.Run("stays within its memory", func(t *testing.T) { testMemory(t, r) })
	t.Run("stops after its breaks", func(t *testing.T) { testBreaks(t, r) })
}

var limits = sandbox.Limits{Memory: 64 << 20, Breaks: 1000}

func ignore(image.Image) error { return nil }

func testContext(t *testing.T, r *sandbox.Runtime) {
	if err := Decode(context.Background(), r, limits, readFile(t), ignore); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Decode(ctx, r, limits, readFile(t), ignore); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	wanted := errors.New("from use")
	if err := Decode(context.Background(), r, limits, readFile(t), func(image.Image) error { return wanted }); !errors.Is(err, wanted) {
		t.Errorf("got %v", err)
	}
}

func testMemory(t *testing.T, r *sandbox.Runtime) {
	little := sandbox.Limits{Memory: 3 << 20, Breaks: limits.Breaks}
	data := append(readFile(t), make([]byte, 4<<20)...)
	if err := Decode(context.Background(), r, little, data, ignore); !errors.Is(err, sandbox.ErrMemory) {
		t.Errorf("4 MB went into 3: %v", err)
	}
}

func testBreaks(t *testing.T, r *sandbox.Runtime) {
	none := sandbox.Limits{Memory: limits.Memory}
	if err := Decode(context.Background(), r, none, readFile(t), ignore); !errors.Is(err, sandbox.ErrTime) {
		t.Errorf("it went on: %v", err)
	}
}

func testNoPicture(t *testing.T, r *sandbox.Runtime) {
	data := readFile(t)
	for _, bad := range [][]byte{nil, []byte("hello"), data[:100], data[:len(data)/2]} {
		if err := Decode(context.Background(), r, limits, bad, ignore); !errors.Is(err, sandbox.ErrDecode) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
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
