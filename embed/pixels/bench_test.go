package pixels

import (
	"bytes"
	"context"
	"image/color"
	"image/jpeg"
	"math"
	"testing"
)

// photograph makes a picture of the given size with some texture, quickly.
func photograph(width, height int) *Image {
	m := must(New(width, height))
	state := uint32(1)
	for y := range height {
		wave := byte(60 * math.Sin(float64(y)/97))
		for x := range width {
			state = state*1664525 + 1013904223
			at := 3 * (y*width + x)
			grain := byte(state >> 28)
			m.Pix[at] = byte(x>>4) + wave + grain
			m.Pix[at+1] = byte(y>>4) + grain
			m.Pix[at+2] = byte((x+y)>>5) - wave + grain
		}
	}
	return m
}

// photographFile returns a JPEG of the given size, 4:2:0 at quality 90.
func photographFile(b *testing.B, width, height int) []byte {
	b.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, photograph(width, height).RGBA(), &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkDecode reads photographs of 1 and 12 million pixels, and turns one.
func BenchmarkDecode(b *testing.B) {
	decoder, err := NewDecoder(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer decoder.Close()
	small, large := photographFile(b, 1200, 900), photographFile(b, 4000, 3000)
	var heic []byte
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"jpeg/1MP", small},
		{"jpeg/12MP", large},
		{"jpeg/12MP-turned", turned(large)},
		{"heic/small", append(heic, readFile(b, "heic_444.heic")...)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decoder.Decode(context.Background(), c.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("jpeg/12MP-standard-library", func(b *testing.B) {
		for b.Loop() {
			m, err := jpeg.Decode(bytes.NewReader(large))
			if err != nil {
				b.Fatal(err)
			}
			_ = m.Bounds()
		}
	})
}

// turned returns a JPEG with an EXIF segment that says orientation 6.
func turned(data []byte) []byte {
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00"), 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0)
	segment := append([]byte{0xFF, 0xD8, 0xFF, 0xE1, 0, byte(len(exif) + 2)}, exif...)
	return append(segment, data[2:]...)
}

func BenchmarkResize(b *testing.B) {
	for _, c := range []struct {
		name                      string
		width, height, wide, tall int
	}{
		{"0.3MP-to-224", 640, 480, 224, 224},
		{"12MP-to-224", 4000, 3000, 224, 224},
		{"12MP-to-364", 4000, 3000, 364, 364},
		{"100px-to-224", 100, 100, 224, 224},
	} {
		m := photograph(c.width, c.height)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				must(Resize(m, c.wide, c.tall))
			}
		})
		b.Run(c.name+"-naive", func(b *testing.B) {
			for b.Loop() {
				naiveResize(m, c.wide, c.tall)
			}
		})
	}
}

// naiveResize is the same filter as a programmer first writes it: in floating
// point, pixel by pixel through accessors.
func naiveResize(m *Image, width, height int) *Image {
	pass := func(in, out int, get func(int) color.RGBA, set func(int, color.RGBA)) {
		scale := float64(in) / float64(out)
		stretch := max(scale, 1)
		for o := range out {
			center := (float64(o) + 0.5) * scale
			var sum, r, g, b float64
			for i := max(int(center-2*stretch+0.5), 0); i < min(int(center+2*stretch+0.5), in); i++ {
				w := cubic((float64(i) - center + 0.5) / stretch)
				c := get(i)
				sum, r, g, b = sum+w, r+w*float64(c.R), g+w*float64(c.G), b+w*float64(c.B)
			}
			level := func(v float64) uint8 { return uint8(min(max(v/sum+0.5, 0), 255)) }
			set(o, color.RGBA{R: level(r), G: level(g), B: level(b), A: 255})
		}
	}
	source, wide, out := m.RGBA(), must(New(width, m.Height)).RGBA(), must(New(width, height)).RGBA()
	for y := range m.Height {
		pass(m.Width, width, func(x int) color.RGBA { return source.RGBAAt(x, y) }, func(x int, c color.RGBA) { wide.SetRGBA(x, y, c) })
	}
	for x := range width {
		pass(m.Height, height, func(y int) color.RGBA { return wide.RGBAAt(x, y) }, func(y int, c color.RGBA) { out.SetRGBA(x, y, c) })
	}
	return &Image{Pix: out.Pix, Width: width, Height: height}
}

func BenchmarkThumbnail(b *testing.B) {
	m := photograph(4000, 3000)
	for b.Loop() {
		if _, err := Thumbnail(m, 512, 82); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPerceptualHash(b *testing.B) {
	m := photograph(4000, 3000)
	for b.Loop() {
		PerceptualHash(m)
	}
}

func BenchmarkNormalize(b *testing.B) {
	m := photograph(224, 224)
	dst := make([]float32, 3*224*224)
	for b.Loop() {
		blip2Normalization().NormalizeInto(dst, m)
	}
}

// cubic is the filter's kernel, with a = -0.5.
func cubic(x float64) float64 {
	switch x = math.Abs(x); {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}
