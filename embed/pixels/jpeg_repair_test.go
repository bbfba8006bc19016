package pixels

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed/pixels/jpegfix"
)

// TestCutJPEGs reads files that end early as far as they go: of a baseline file what
// is left is as it was, to the bit.
func TestCutJPEGs(t *testing.T) {
	files, err := filepath.Glob("testdata/files/jpeg_*.jpg")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	baseline := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := Decode(t.Context(), data, Options{})
		if err != nil || whole.Damage != "" {
			continue // one that is not read at all
		}
		progressive := bytes.Contains(data, []byte{0xFF, jpegfix.SOF2})
		if len(data) < 1000 {
			continue // too few bytes to cut
		}
		end := bytes.LastIndex(data, []byte{0xFF, jpegfix.EOI})
		start := bytes.Index(data, []byte{0xFF, jpegfix.SOS}) + 14
		for _, cut := range []struct {
			at   int
			says string
		}{
			{end, "its end marker is missing"}, {end + 1, "its end marker is missing"},
			{start + 9*(end-start)/10, "ends early"}, {start + (end-start)/2, "ends early"},
		} {
			got, err := Decode(t.Context(), data[:cut.at], Options{})
			if err != nil {
				t.Errorf("%s cut at %d of %d: %v", name, cut.at, len(data), err)
				continue
			}
			if !strings.Contains(got.Damage, cut.says) || got.Width != whole.Width || got.Height != whole.Height {
				t.Errorf("%s cut at %d of %d: %dx%d, damage %q", name, cut.at, len(data), got.Width, got.Height, got.Damage)
			}
			if cut.at >= end && !bytes.Equal(got.Pix, whole.Pix) {
				t.Errorf("%s without its end marker: the picture is another", name)
			}
			oneScan := bytes.Count(data, []byte{0xFF, jpegfix.SOS}) == 1
			if same := samePrefix(got.Pix, whole.Pix); !progressive && oneScan && whole.Height > 40 && same < len(whole.Pix)/4 {
				t.Errorf("%s cut at %d of %d: only %d of %d bytes are as they were", name, cut.at, len(data), same, len(whole.Pix))
			} else if !progressive && oneScan && whole.Height > 40 {
				baseline++
			}
		}
	}
	if baseline == 0 {
		t.Error("no baseline file was held against itself")
	}
}

func samePrefix(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// noise is a JPEG that is hard to compress.
func noise(tb testing.TB, width, height int) []byte {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.RGBA{R: uint8(x * 3), G: uint8(y * 2), B: uint8(random.IntN(256)), A: 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 90}); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// TestCutAnywhere cuts a file at every place: it is read, or refused as damaged, and
// what is missing is grey.
func TestCutAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes thousands of times, in one goroutine")
	}
	data := noise(t, 96, 128)
	whole, err := Decode(t.Context(), data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for at := range data {
		got, err := Decode(t.Context(), data[:at], Options{})
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrUnsupported) {
				t.Errorf("cut at %d: %v", at, err)
			}
			continue
		}
		read++
		if at < len(data)/2 {
			last := got.Pix[len(got.Pix)-3:]
			if last[0] < 126 || last[0] > 130 || last[2] < 126 || last[2] > 130 {
				t.Errorf("cut at %d: the last pixel is %v, and not grey", at, last)
			}
		}
		if at > len(data)*9/10 && samePrefix(got.Pix, whole.Pix) < len(whole.Pix)*3/4 {
			t.Errorf("cut at %d: %d bytes are as they were", at, samePrefix(got.Pix, whole.Pix))
		}
	}
	if read < len(data)/2 {
		t.Errorf("read at %d of %d places", read, len(data))
	}
}

// TestDamagedMiddle: damage in the middle costs no more than what lies behind it.
func TestDamagedMiddle(t *testing.T) {
	data := noise(t, 96, 128)
	random := rand.New(rand.NewPCG(3, 4))
	read := 0
	for range 200 {
		damaged := bytes.Clone(data)
		at := len(data)/2 + random.IntN(len(data)/4)
		for i := range 8 {
			damaged[at+i] = byte(random.IntN(256))
		}
		if got, err := Decode(t.Context(), damaged, Options{}); err == nil && got.Damage != "" {
			read++
		} else if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Error(err)
		}
	}
	if read == 0 {
		t.Error("none was mended")
	}
}

// TestPhonePictures: pictures of more than a hundred million pixels are read, smaller,
// and say how large they are.
func TestPhonePictures(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds and 300 MB")
	}
	const width, height = 12_000, 9_001
	m := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Pix[y*m.Stride+x] = byte(255 * (x + y) / (width + height))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	got, err := Decode(t.Context(), out.Bytes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w, h := got.FullSize(); got.Reduced != 2 || w != width || h != height || got.Width != width/2 || got.Height != height/2+1 {
		t.Errorf("%dx%d, reduced %d times from %dx%d", got.Width, got.Height, got.Reduced, w, h)
	}
	for _, at := range []image.Point{{X: 0, Y: 0}, {X: 5_999, Y: 0}, {X: 3_000, Y: 2_000}, {X: 5_999, Y: 4_500}} {
		want := 255 * 2 * (at.X + at.Y) / (width + height)
		if level := int(got.Pix[3*(at.Y*got.Width+at.X)]); level < want-3 || level > want+3 {
			t.Errorf("at %v: %d, want about %d", at, level, want)
		}
	}
	if _, err := Decode(t.Context(), out.Bytes(), Options{MaxPixels: 100_000_000}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("above a limit: %v", err)
	}
}

// FuzzRepair: whatever the bytes are, mending them takes little and does not panic.
func FuzzRepair(f *testing.F) {
	data := noise(f, 33, 47)
	f.Add(data[:len(data)*2/3])
	f.Add(jpegFile(0xC2, 64, 64, 0x22))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 || len(data) > 1<<16 {
			return
		}
		_, _ = Decode(context.Background(), append([]byte{0xFF, jpegfix.SOI, 0xFF}, data[2:]...), Options{MaxPixels: 1 << 16})
	})
}
