package pixels

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// resizeCases is what train/fixtures/pixels_resize.py writes.
type resizeCases struct {
	Resize []struct {
		Source        string
		Width, Height int
		SHA256        string
	}
	Normalize []struct {
		Size   int
		SHA256 string
	}
}

func readResizeCases(t testing.TB) resizeCases {
	t.Helper()
	data, err := os.ReadFile("testdata/resize/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases resizeCases
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// readImage decodes a file below testdata.
func readImage(t testing.TB, name string) *Image {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode(context.Background(), data, Options{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func TestResizeEqualsPillow(t *testing.T) {
	cases := readResizeCases(t).Resize
	if len(cases) < 100 {
		t.Fatalf("only %d sizes", len(cases))
	}
	sources := map[string]*Image{}
	for _, c := range cases {
		if sources[c.Source] == nil {
			sources[c.Source] = readImage(t, "resize/"+c.Source+".png")
		}
		m := sources[c.Source]
		before := digest(m.Pix)
		got, err := Resize(m, c.Width, c.Height)
		if err != nil {
			t.Fatal(err)
		}
		if got.Width != c.Width || got.Height != c.Height || len(got.Pix) != 3*c.Width*c.Height {
			t.Errorf("%s to %dx%d: got %dx%d", c.Source, c.Width, c.Height, got.Width, got.Height)
		}
		if digest(got.Pix) != c.SHA256 {
			t.Errorf("%s %dx%d to %dx%d differs from Pillow", c.Source, m.Width, m.Height, c.Width, c.Height)
		}
		if digest(m.Pix) != before {
			t.Fatalf("resizing to %dx%d changed the source", c.Width, c.Height)
		}
	}
}

func TestNormalizeEqualsTransformers(t *testing.T) {
	m := readImage(t, "resize/scene.png")
	normalization := blip2Normalization()
	if err := normalization.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range readResizeCases(t).Normalize {
		small, err := Resize(m, c.Size, c.Size)
		if err != nil {
			t.Fatal(err)
		}
		var raw bytes.Buffer
		for _, value := range normalization.Normalize(small) {
			raw.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(value)))
		}
		if digest(raw.Bytes()) != c.SHA256 {
			t.Errorf("%d: differs from transformers' image processor", c.Size)
		}
	}
}

func TestResizeRefusesImpossibleSizes(t *testing.T) {
	m := readImage(t, "resize/pair.png")
	for _, size := range [][2]int{{0, 1}, {1, 0}, {-1, 5}, {1 << 40, 1 << 40}} {
		if _, err := Resize(m, size[0], size[1]); err == nil {
			t.Errorf("%v: no error", size)
		}
	}
	if _, err := Resize(&Image{}, 2, 2); err == nil {
		t.Error("an empty image: no error")
	}
}
