package pixels

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

// waves makes a picture of a few random waves, so that any two differ.
func waves(seed uint64, width, height int) *Image {
	random := rand.New(rand.NewPCG(seed, 1))
	type wave struct{ across, down, phase, strength float64 }
	var sum [3][]wave
	for c := range sum {
		for range 6 {
			sum[c] = append(sum[c], wave{random.Float64() * 25, random.Float64() * 25, random.Float64() * 7, random.Float64() * 40})
		}
	}
	m, err := New(width, height)
	if err != nil {
		panic(err)
	}
	for y := range height {
		for x := range width {
			for c := range 3 {
				value := 128.0
				for _, w := range sum[c] {
					value += w.strength * math.Sin(w.across*float64(x)/float64(width)+w.down*float64(y)/float64(height)+w.phase)
				}
				m.Pix[3*(y*width+x)+c] = byte(min(max(value, 0), 255))
			}
		}
	}
	return m
}

func TestPerceptualHashSurvivesWhatKeepsThePicture(t *testing.T) {
	worst := 0
	for seed := range uint64(12) {
		m := waves(seed, 180, 120)
		hash := PerceptualHash(m)
		for name, changed := range map[string]*Image{
			"smaller":    must(Resize(m, 60, 40)),
			"larger":     must(Resize(m, 350, 250)),
			"squeezed":   must(Resize(m, 110, 120)),
			"compressed": recompressed(t, m, 30),
			"brighter":   adjusted(m, 1, 25),
			"flatter":    adjusted(m, 0.7, 30),
		} {
			distance := HammingDistance(hash, PerceptualHash(changed))
			worst = max(worst, distance)
			if distance > 10 {
				t.Errorf("picture %d %s: %d bits apart", seed, name, distance)
			}
		}
	}
	t.Logf("at most %d bits apart", worst)
}

func TestPerceptualHashTellsPicturesApart(t *testing.T) {
	var hashes []uint64
	for seed := range uint64(40) {
		hashes = append(hashes, PerceptualHash(waves(seed, 100, 75)))
	}
	nearest, sum, count := 64, 0, 0
	for i, a := range hashes {
		for _, b := range hashes[:i] {
			distance := HammingDistance(a, b)
			nearest, sum, count = min(nearest, distance), sum+distance, count+1
		}
	}
	t.Logf("nearest %d bits apart, %.1f on average", nearest, float64(sum)/float64(count))
	if nearest <= 10 || sum/count < 25 {
		t.Errorf("different pictures are %d bits apart at the nearest, %d on average", nearest, sum/count)
	}
	m := waves(3, 100, 75)
	mirrored := m.Clone()
	mirrorRows(mirrored)
	if distance := HammingDistance(PerceptualHash(m), PerceptualHash(mirrored)); distance < 15 {
		t.Errorf("the mirrored picture is %d bits apart", distance)
	}
}

func TestPerceptualHashOfNothing(t *testing.T) {
	for _, value := range []byte{0, 17, 255} {
		m := must(New(50, 40))
		m.fill([3]uint8{value, value, value})
		if hash := PerceptualHash(m); hash != 0 {
			t.Errorf("a flat picture has hash %x", hash)
		}
	}
	if PerceptualHash(nil) != 0 || PerceptualHash(&Image{}) != 0 {
		t.Error("no picture has a hash")
	}
}

func must(m *Image, err error) *Image {
	if err != nil {
		panic(err)
	}
	return m
}

// recompressed returns m after JPEG of the given quality.
func recompressed(t testing.TB, m *Image, quality int) *Image {
	t.Helper()
	data, err := Thumbnail(m, max(m.Width, m.Height), quality)
	if err != nil {
		t.Fatal(err)
	}
	return must(Decode(context.Background(), data, Options{}))
}

func adjusted(m *Image, factor, shift float64) *Image {
	out := m.Clone()
	for i, value := range out.Pix {
		out.Pix[i] = byte(min(max(float64(value)*factor+shift, 0), 255))
	}
	return out
}
