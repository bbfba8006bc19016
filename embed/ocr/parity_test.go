package ocr

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"mekiki/embed/pixels"
)

// packed is an array of the reference: row after row.
type packed struct {
	Shape []int  `json:"shape"`
	Bytes string `json:"bytes"`
}

func (p packed) bytes(t *testing.T) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (p packed) floats(t *testing.T) []float32 {
	data := p.bytes(t)
	values := make([]float32, len(data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return values
}

func (p packed) image(t *testing.T) *pixels.Image {
	return &pixels.Image{Pix: p.bytes(t), Width: p.Shape[1], Height: p.Shape[0]}
}

// reference is what train/parity/ocr.py wrote.
type reference struct {
	Scores     packed          `json:"scores"`
	Size       [2]int          `json:"size"`
	Boxes      [][4][2]float64 `json:"boxes"`
	Means      []float64       `json:"means"`
	Picture    packed          `json:"picture"`
	Resized    packed          `json:"resized"`
	Smaller    packed          `json:"smaller"`
	Quads      [][4][2]float64 `json:"quads"`
	Cuts       []packed        `json:"cuts"`
	Characters []string        `json:"characters"`
	Logits     packed          `json:"logits"`
	Texts      []struct {
		Text  string  `json:"text"`
		Score float64 `json:"score"`
	} `json:"texts"`
}

func readReference(t *testing.T) reference {
	t.Helper()
	content, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func quadOf(corners [4][2]float64) (q Quad) {
	for i, corner := range corners {
		q[i] = Point{corner[0], corner[1]}
	}
	return q
}

// distance is how far the corners of two quads lie apart at most.
func distance(a, b Quad) float64 {
	worst := 0.0
	for i := range a {
		worst = max(worst, a[i].minus(b[i]).length())
	}
	return worst
}

// TestBoxes wants the boxes of a drawn score map to be the reference's within the rounding of its whole pixels.
func TestBoxes(t *testing.T) {
	r := readReference(t)
	s := scoreMap{r.Scores.floats(t), r.Scores.Shape[1], r.Scores.Shape[0]}
	found := s.boxes(float64(r.Size[0])/float64(s.width), float64(r.Size[1])/float64(s.height))
	var fit []box
	for _, b := range found {
		if b.fit(r.Size[0], r.Size[1]) {
			b.clip(r.Size[0], r.Size[1])
			fit = append(fit, b)
		}
	}
	if len(fit) != len(r.Boxes) {
		t.Fatalf("%d boxes, want %d", len(fit), len(r.Boxes))
	}
	for i, want := range r.Boxes {
		least, mean := math.Inf(1), 0.0
		for _, b := range fit {
			if d := distance(b.Quad, quadOf(want)); d < least {
				least, mean = d, b.score
			}
		}
		if least > 5 || math.Abs(mean-r.Means[i]) > 0.02 { // pixels of a picture 2.5 times as large
			t.Errorf("box %v is %.1f pixels away, with the score %.3f and not %.3f", want, least, mean, r.Means[i])
		}
	}
}

// largestDifference is that of two pictures of one size.
func largestDifference(t *testing.T, got, want *pixels.Image) int {
	t.Helper()
	if got.Width != want.Width || got.Height != want.Height {
		t.Fatalf("%dx%d, want %dx%d", got.Width, got.Height, want.Width, want.Height)
	}
	worst := 0
	for i := range want.Pix {
		worst = max(worst, int(got.Pix[i])-int(want.Pix[i]), int(want.Pix[i])-int(got.Pix[i]))
	}
	return worst
}

func TestScaled(t *testing.T) {
	r := readReference(t)
	for _, want := range []packed{r.Resized, r.Smaller, r.Picture} {
		got, err := scaled(r.Picture.image(t), want.Shape[1], want.Shape[0])
		if err != nil {
			t.Fatal(err)
		}
		if worst := largestDifference(t, got, want.image(t)); worst > 1 {
			t.Errorf("%v: a value differs by %d", want.Shape, worst)
		}
	}
}

func TestCut(t *testing.T) {
	r := readReference(t)
	for i, quad := range r.Quads {
		got, err := cut(r.Picture.image(t), quadOf(quad))
		if err != nil {
			t.Fatal(err)
		}
		// OpenCV takes places between pixels in steps of 1/32.
		if worst := largestDifference(t, got, r.Cuts[i].image(t)); worst > 8 {
			t.Errorf("%v: a value differs by %d", quad, worst)
		}
	}
}

func TestDecode(t *testing.T) {
	r := readReference(t)
	d, err := newDictionary(strings.Join(r.Characters, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	values := r.Logits.floats(t)
	size := r.Logits.Shape[1] * r.Logits.Shape[2]
	for i, want := range r.Texts {
		if text, score := d.decode(values[i*size : (i+1)*size]); text != want.Text || math.Abs(score-want.Score) > 1e-4 {
			t.Errorf("%q with %.5f, want %q with %.5f", text, score, want.Text, want.Score)
		}
	}
}

func TestRectangle(t *testing.T) {
	for name, test := range map[string]struct {
		points []Point
		want   Quad
	}{
		"one point":  {[]Point{{3, 4}}, Quad{{3, 4}, {3, 4}, {3, 4}, {3, 4}}},
		"a row":      {[]Point{{1, 2}, {5, 2}, {3, 2}}, Quad{{1, 2}, {5, 2}, {5, 2}, {1, 2}}},
		"a square":   {[]Point{{0, 0}, {4, 0}, {4, 4}, {0, 4}, {2, 2}}, Quad{{0, 0}, {4, 0}, {4, 4}, {0, 4}}},
		"on its tip": {[]Point{{0, 3}, {2, 0}, {5, 2}, {3, 5}}, Quad{{2, 0}, {5, 2}, {3, 5}, {0, 3}}},
	} {
		if got := rectangle(test.points); distance(got, test.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
