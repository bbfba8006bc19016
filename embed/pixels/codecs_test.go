package pixels

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
)

// TestSandboxes tries the formats whose decoders run in the sandbox, with one decoder:
// compiling them takes long.
func TestSandboxes(t *testing.T) {
	decoder, err := NewDecoder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	all := samples(t)
	for _, format := range []Format{HEIC, AVIF, JXL} {
		data := all[format]
		want, err := decoder.Decode(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(string(format)+" takes more memory when it must", func(t *testing.T) { testMoreMemory(t, decoder, data, want) })
		t.Run(string(format)+" is tried with all the memory", func(t *testing.T) { testAllMemory(t, decoder, data) })
		t.Run(string(format)+" runs side by side", func(t *testing.T) { testSideBySide(t, decoder, data, want) })
	}
	if !decoder.options.Memory.free.TryAcquire(decoder.options.Memory.size) {
		t.Error("memory was not given back")
	}
}

func testMoreMemory(t *testing.T, decoder *Decoder, data []byte, want *Image) {
	h, err := decoder.admit(data)
	if err != nil {
		t.Fatal(err)
	}
	h.Working = 1
	m, release, err := decoder.hold(context.Background(), data, h)
	if err != nil || !bytes.Equal(m.Pix, want.Pix) {
		t.Fatalf("another picture: %v", err)
	}
	release()
	h.Most = 1
	if _, _, err := decoder.hold(context.Background(), data, h); !errors.Is(err, ErrTooLarge) {
		t.Errorf("within a byte: %v", err)
	}
}

// testAllMemory reads a picture that may take more memory than there is.
func testAllMemory(t *testing.T, decoder *Decoder, data []byte) {
	h, err := decoder.admit(data)
	if err != nil {
		t.Fatal(err)
	}
	small := *decoder
	small.options.Memory = NewMemory(h.memory() / 2)
	if _, err := small.Decode(context.Background(), data); err != nil {
		t.Error(err)
	}
}

// testSideBySide ends the context of some decodings.
func testSideBySide(t *testing.T, decoder *Decoder, data []byte, want *Image) {
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if m, err := decoder.Decode(context.Background(), data); err != nil || !bytes.Equal(m.Pix, want.Pix) {
				t.Errorf("another picture: %v", err)
			}
		})
		ctx, cancel := context.WithCancel(context.Background())
		group.Go(cancel)
		group.Go(func() {
			if _, err := decoder.Decode(ctx, data); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
