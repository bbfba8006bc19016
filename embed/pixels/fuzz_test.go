package pixels

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

// fuzzLimits keep a fuzzing run small and fast.
var fuzzLimits = Options{MaxBytes: 1 << 18, MaxPixels: 1 << 18}

// fuzzDecoder fuzzes the decoder of one format, from the files with the given
// endings and the bombs of that format.
func fuzzDecoder(f *testing.F, format Format, pattern string) {
	seeds := 0
	var first []byte
	for _, c := range readFileCases(f) {
		data := readFile(f, c.Name)
		if found, err := sniff(data); err == nil && found == format {
			f.Add(data)
			seeds++
			if first == nil {
				first = data
			}
		}
	}
	for _, bomb := range bombs(f) {
		if found, err := sniff(bomb.data); err == nil && found == format {
			f.Add(bomb.data)
			seeds++
		}
	}
	if names, err := filepath.Glob(filepath.Join("testdata", "files", pattern)); err != nil || len(names) == 0 || seeds < len(names) {
		f.Fatalf("%d seeds: %v, %v", seeds, names, err)
	}
	decoder, err := NewDecoder(fuzzLimits)
	if err != nil {
		f.Fatal(err)
	}
	// The first file makes the decoder ready, which for HEIC takes longer than a
	// fuzzing worker gives to one input.
	if _, err := decoder.Decode(context.Background(), first); err != nil && !errors.Is(err, ErrTooLarge) {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decoder.Decode(context.Background(), data)
		info, inspectErr := inspectFile(data)
		if err != nil {
			if !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if !m.valid() || len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("%dx%d with %d bytes", m.Width, m.Height, len(m.Pix))
		}
		if inspectErr != nil || info.Format != m.Format {
			t.Fatalf("inspecting says %+v, %v", info, inspectErr)
		}
		if h, _ := inspect(data); !h.OwnSize && (info.Width != m.Width || info.Height != m.Height) {
			t.Fatalf("inspecting says %+v, decoding %dx%d", info, m.Width, m.Height)
		}
	})
}

func FuzzDecodeJPEG(f *testing.F) { fuzzDecoder(f, JPEG, "*.jpg") }
func FuzzDecodePNG(f *testing.F)  { fuzzDecoder(f, PNG, "png_*.png") }
func FuzzDecodeGIF(f *testing.F)  { fuzzDecoder(f, GIF, "*.gif") }
func FuzzDecodeWebP(f *testing.F) { fuzzDecoder(f, WebP, "*.webp") }
func FuzzDecodeBMP(f *testing.F)  { fuzzDecoder(f, BMP, "*.bmp") }
func FuzzDecodeTIFF(f *testing.F) { fuzzDecoder(f, TIFF, "*.tif") }
func FuzzDecodeHEIC(f *testing.F) { fuzzDecoder(f, HEIC, "*.heic") }
func FuzzDecodeAVIF(f *testing.F) { fuzzDecoder(f, AVIF, "*.avif") }
func FuzzDecodeJXL(f *testing.F)  { fuzzDecoder(f, JXL, "*.jxl") }
