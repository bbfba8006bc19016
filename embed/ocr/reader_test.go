package ocr

import (
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"mekiki/embed/ort/orttest"
	"mekiki/embed/pixels"
)

// written draws lines in a font on a picture.
func written(t *testing.T, ttf []byte, lines ...string) *pixels.Image {
	t.Helper()
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 30, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	canvas := image.NewRGBA(image.Rect(0, 0, 640, 80+70*len(lines)))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(color.RGBA{235, 230, 210, 255}), image.Point{}, draw.Src)
	for i, line := range lines {
		drawer := font.Drawer{Dst: canvas, Src: image.Black, Face: face, Dot: fixed.P(40, 70+70*i)}
		drawer.DrawString(line)
	}
	m, err := pixels.New(canvas.Bounds().Dx(), canvas.Bounds().Dy())
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Width * m.Height {
		copy(m.Pix[3*i:3*i+3], canvas.Pix[4*i:])
	}
	return m
}

// TestDetectedSize: the shorter side is brought to what the detector needs, but no shape of a picture makes it take gigabytes.
func TestDetectedSize(t *testing.T) {
	for _, c := range [][4]int{{640, 480, 992, 736}, {2000, 1500, 1984, 1504}, {2000, 500, 2944, 736}, {30, 2000, 128, 8000}, {32, 32, 736, 736}} {
		if width, height := detectedSize(c[0], c[1]); width != c[2] || height != c[3] {
			t.Errorf("%dx%d: %dx%d, expected %dx%d", c[0], c[1], width, height, c[2], c[3])
		}
	}
	for width := shortestSide; width <= longestSide; width += 10 {
		for height := shortestSide; height <= longestSide; height += 10 {
			if w, h := detectedSize(width, height); w*h > 8_000_000 {
				t.Fatalf("%dx%d: %dx%d", width, height, w, h)
			}
		}
	}
}

// TestReads reads drawn lines, upright and standing on their heads, with the models in the folder that MEKIKI_WORDS names.
func TestReads(t *testing.T) {
	folder := os.Getenv("MEKIKI_WORDS")
	if folder == "" {
		t.Skip("MEKIKI_WORDS names no folder of models; mekiki pull ppocr-v6-small fetches them")
	}
	reader, err := Open(t.Context(), Options{Folder: folder, Runtime: orttest.Open(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	lines := []string{"Platform 9, gate B12", "KA-7731-XY", "Bakery since 1931"}
	for name, ttf := range map[string][]byte{"regular": goregular.TTF, "bold": gobold.TTF, "italic": goitalic.TTF, "mono": gomono.TTF} {
		m := written(t, ttf, lines...)
		before := string(m.Pix)
		found, err := reader.Read(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Pix) != before {
			t.Error("the picture was changed")
		}
		if got := texts(found); got != strings.Join(lines, "|") {
			t.Errorf("%s: %s", name, got)
		}
		for i, line := range found {
			if y := line.Corners[0].Y; math.Abs(y-float64(45+70*i)) > 20 || line.Score < 0.9 {
				t.Errorf("%s: %+v", name, line)
			}
		}
		turned(m)
		if found, err = reader.Read(t.Context(), m); err != nil || len(found) != len(lines) || !strings.Contains(texts(found), lines[1]) {
			t.Errorf("%s on its head: %s, %v", name, texts(found), err)
		}
	}
	blank, err := pixels.New(300, 200)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := reader.Read(t.Context(), blank); err != nil || len(found) > 0 {
		t.Errorf("a black picture says %v, %v", found, err)
	}
}

func texts(lines []Line) string {
	var list []string
	for _, line := range lines {
		list = append(list, line.Text)
	}
	return strings.Join(list, "|")
}

func TestNoModels(t *testing.T) {
	runtime := orttest.Open(t)
	if _, err := Open(t.Context(), Options{Folder: t.TempDir(), Runtime: runtime}); !errors.Is(err, ErrNoReader) {
		t.Errorf("an empty folder: %v", err)
	}
	folder := t.TempDir()
	for _, name := range []string{"det.onnx", "rec.onnx"} {
		if err := os.WriteFile(folder+"/"+name, []byte("no graph"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(t.Context(), Options{Folder: folder, Runtime: runtime}); err == nil {
		t.Error("files that are no graphs are opened")
	}
}

// FuzzBoxes looks for boxes in any scores.
func FuzzBoxes(f *testing.F) {
	f.Add([]byte{0, 0, 128, 63, 0, 0, 128, 63, 0, 0, 192, 127}, uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, width uint8) {
		if width == 0 || len(data) > 1<<14 {
			return
		}
		values := make([]float32, len(data)/4/int(width)*int(width))
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		s := scoreMap{values, int(width), len(values) / int(width)}
		for _, b := range s.boxes(2, 2) {
			for _, corner := range b.Quad {
				if math.IsNaN(corner.X) || math.IsNaN(corner.Y) {
					t.Errorf("%+v", b)
				}
			}
		}
	})
}

// FuzzDictionary reads scores by any dictionary.
func FuzzDictionary(f *testing.F) {
	f.Add("a\nb", []byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, list string, data []byte) {
		d, err := newDictionary(list)
		if err != nil {
			return
		}
		values := make([]float32, len(data)/4)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		d.decode(values)
	})
}
