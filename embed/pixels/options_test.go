package pixels

import (
	"context"
	"errors"
	"image"
	"strings"
	"testing"
	"time"
)

func TestOptionsReportEveryProblem(t *testing.T) {
	_, err := NewDecoder(Options{MaxBytes: -1, MaxPixels: -2, Alpha: 7})
	for _, want := range []string{"bytes -1", "pixels -2", "alpha 7"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	data := readFile(t, "png_rgb.png") // 67x45
	for _, c := range []struct {
		options Options
		want    error
	}{
		{Options{MaxPixels: 67 * 45, MaxBytes: int64(len(data))}, nil},
		{Options{MaxPixels: 67*45 - 1}, ErrTooLarge},
		{Options{MaxBytes: int64(len(data)) - 1}, ErrTooLarge},
		{Options{Memory: NewMemory(1 << 20)}, nil},
		{Options{Memory: NewMemory(67 * 45 * 3)}, ErrTooLarge},
	} {
		if _, err := Decode(context.Background(), data, c.options); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.options, err, c.want)
		}
	}
}

func TestMemoryIsShared(t *testing.T) {
	memory := NewMemory(1 << 20)
	if err := memory.acquire(context.Background(), 1<<20); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	data := readFile(t, "png_rgb.png")
	if _, err := Decode(ctx, data, Options{Memory: memory}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another decodes: %v", err)
	}
	memory.release(1 << 20)
	for range 3 { // what a decoding takes it gives back, whatever becomes of it
		for _, file := range [][]byte{data, data[:len(data)-40]} {
			Decode(context.Background(), file, Options{Memory: memory})
		}
	}
	if err := memory.acquire(context.Background(), 1<<20); err != nil {
		t.Errorf("after all is done: %v", err)
	}
}

func TestTransparencyFollowsTheOptions(t *testing.T) {
	for _, name := range []string{"png_rgba.png", "webp_lossy_alpha.webp", "webp_lossless_alpha.webp", "gif_transparent.gif", "png_gray_alpha.png", "tiff_rgba.tif", "png_palette_transparent.png"} {
		data := readFile(t, name)
		white := must(Decode(context.Background(), data, Options{}))
		black := must(Decode(context.Background(), data, Options{Background: &[3]uint8{}}))
		dropped := must(Decode(context.Background(), data, Options{Alpha: DropAlpha}))
		again := must(Decode(context.Background(), data, Options{Alpha: DropAlpha, Background: &[3]uint8{1, 2, 3}}))
		if difference, _ := difference(dropped, again); difference != 0 {
			t.Errorf("%s: with its transparency dropped the background shows", name)
		}
		differs := false
		for i := range white.Pix {
			low, middle, high := black.Pix[i], dropped.Pix[i], white.Pix[i]
			differs = differs || low < high
			if low > middle || middle > high {
				t.Fatalf("%s: byte %d is %d on black, %d alone, %d on white", name, i, low, middle, high)
			}
		}
		if !differs {
			t.Errorf("%s: the background does not show", name)
		}
	}
}

func TestDecodingHonoursItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	decoder, err := NewDecoder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for format, data := range samples(t) {
		if _, err := decoder.Decode(ctx, data); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestPanicsBecomeErrors(t *testing.T) {
	err := guard(func() error { panic(image.ErrFormat) })
	if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "unknown format") {
		t.Errorf("got %v", err)
	}
}

func TestOtherFilesAreNamed(t *testing.T) {
	for content, want := range map[string]string{
		"%PDF-1.7":           "PDF",
		"8BPS\x00\x01":       "Photoshop",
		"<svg xmlns=''>":     "SVG",
		"<!DOCTYPE html><p>": "a web page",
		"<!doctype html><p>": "a web page",
		"<HTML><BODY>":       "a web page",
		"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42": "video",
		"\x00\x00\x00\x0cjP  \r\n\x87\n":                   "JPEG 2000",
		"II+\x00\x08\x00\x00\x00":                          "BigTIFF",
		"BMW is a car, not a bitmap":                       "no known signature",
		"hello":                                            "no known signature",
	} {
		_, err := Decode(context.Background(), []byte(content), Options{})
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", content, err, want)
		}
	}
	if _, err := Decode(context.Background(), nil, Options{}); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "empty") {
		t.Errorf("nothing: %v", err)
	}
}

func TestTruncatedFilesAreDamaged(t *testing.T) {
	decoder, err := NewDecoder(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for _, c := range readFileCases(t) {
		data := readFile(t, c.Name)
		for _, part := range []float64{0.3, 0.5, 0.8} {
			cut := data[:int(part*float64(len(data)))]
			got, err := decoder.Decode(context.Background(), cut)
			if err == nil && got.Format == JPEG && got.Damage != "" {
				continue // read as far as it goes
			}
			if !errors.Is(err, ErrCorrupt) {
				if strings.HasPrefix(c.Name, "gif_animated") || strings.Contains(c.Name, "animated") || c.Name == "tiff_pages.tif" {
					continue // the first picture is whole
				}
				t.Errorf("%s cut to %.0f%%: %v", c.Name, 100*part, err)
			}
		}
	}
}
