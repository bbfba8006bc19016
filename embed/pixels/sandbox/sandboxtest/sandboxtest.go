// Package sandboxtest has what the tests of the decoders in the sandbox share.
package sandboxtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"testing"

	"mekiki/embed/pixels/sandbox"
)

// Limits are enough for the pictures of the tests.
func Limits() sandbox.Limits { return sandbox.Limits{Memory: 64 << 20, Breaks: 1000} }

// Decode decodes data and gives the picture to a function whose error is used.
type Decode func(ctx context.Context, limits sandbox.Limits, data []byte, used error) error

// Start gives a runtime for the length of the test, and a picture of the sample files.
func Start(t *testing.T, file string) (*sandbox.Runtime, []byte) {
	t.Helper()
	data, err := os.ReadFile("../testdata/files/" + file)
	if err != nil {
		t.Fatal(err)
	}
	runtime := sandbox.New()
	t.Cleanup(func() { _ = runtime.Close(context.Background()) })
	return runtime, data
}

// Module fails the test if a module's SHA-256 is another one, in hexadecimal.
func Module(t *testing.T, module []byte, want string) {
	t.Helper()
	sum := sha256.Sum256(module)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("got %s", got)
	}
}

// Bounds fails the test if the decoder does not end with its context, its limits
// or the error of what uses the picture. Memory too small for it is little.
func Bounds(t *testing.T, decode Decode, data []byte, little int64) {
	t.Helper()
	wanted := errors.New("from use")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx    context.Context
		limits sandbox.Limits
		want   error
	}{
		{context.Background(), Limits(), wanted},
		{cancelled, Limits(), context.Canceled},
		{context.Background(), sandbox.Limits{Memory: little, Breaks: 1000}, sandbox.ErrMemory},
		{context.Background(), sandbox.Limits{Memory: 64 << 20}, sandbox.ErrTime},
	} {
		if err := decode(c.ctx, c.limits, data, wanted); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.limits, err, c.want)
		}
	}
}

// NoPicture fails the test if the decoder makes a picture of what is none, or of
// a part of data; the parts are the first bytes, so many of them.
func NoPicture(t *testing.T, decode Decode, data []byte, parts ...int) {
	t.Helper()
	bad := [][]byte{nil, []byte("hello")}
	for _, length := range parts {
		bad = append(bad, data[:length])
	}
	for at, bad := range bad {
		if err := decode(context.Background(), Limits(), bad, nil); !errors.Is(err, sandbox.ErrDecode) {
			t.Errorf("%d: %d bytes: %v", at, len(bad), err)
		}
	}
}
