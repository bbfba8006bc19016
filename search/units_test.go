package search

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"mekiki/index"
)

func TestEitherOdds(t *testing.T) {
	for _, p := range []float64{0, 1e-9, 0.001, 0.2, 0.5, 0.9, 0.9999, 1} {
		for _, q := range []float64{0, 1e-9, 0.03, 0.5, 0.97, 1} {
			got, want := sigmoid(eitherOdds(logOdds(p), logOdds(q))), 1-(1-p)*(1-q)
			if math.Abs(got-want) > 1e-9 {
				t.Errorf("either %v or %v: got %v, want %v", p, q, got, want)
			}
		}
	}
	// A second reason that is none changes nothing, even where chances saturate.
	for _, odds := range []float64{-30, -5, 0, 5, 30} {
		if got := eitherOdds(odds, logOdds(0)); math.Abs(got-odds) > 1e-6*math.Abs(odds)+1e-9 {
			t.Errorf("odds %v become %v", odds, got)
		}
	}
}

func TestNameWords(t *testing.T) {
	record := &index.Record{
		Kind:  index.KindImage,
		Files: []index.File{{Path: filepath.FromSlash("/home/user/Archive/Kyoto 2019/autumn-leaves.jpg")}},
		Tags:  []string{"Family"}, Captions: []index.Caption{{Text: "a zeppelin"}},
		Metadata: index.Metadata{Camera: "Nikon Z6", Title: "Temple"},
	}
	for text, want := range map[string]float64{
		"kyoto": 1, "2019": 1, "autumn leaves": 1, "archive": 1, "family": 1, "nikon z6": 1, "temples": 1, "zeppelin": 0, "home user": 0,
		"photos of the temple in Kyoto, by night": 2.0 / 3, "autumn zeppelin": 0.5,
	} {
		if got := newWordFinder([]string{text}).nameShares(record, 1)[0]; math.Abs(got-want) > 1e-9 {
			t.Errorf("%q: %v of it are names, want %v", text, got, want)
		}
	}
	if got := newWordFinder([]string{"zeppelin", "a temple"}).captionShares(record); got[0] != 1 || got[1] != 0 {
		t.Errorf("captions say %v", got)
	}
}

func BenchmarkWordFinder(b *testing.B) {
	record := &index.Record{
		Files:    []index.File{{Path: "/home/user/Pictures/Archive/Kyoto 2019/IMG_20190504_1201.jpg"}},
		Captions: []index.Caption{{Text: "a photo of a couple of drums, a motorcycle, and a tropical pineapple on a desk"}},
	}
	finder := newWordFinder([]string{"two drums and a tropical pineapple on a wooden table"})
	for b.Loop() {
		finder.nameShares(record, 1)
		finder.captionShares(record)
	}
}

func TestLRU(t *testing.T) {
	l := newLRU[string, int](3)
	l.put("a", 1, 1)
	l.put("b", 2, 1)
	l.put("c", 3, 1)
	l.get("a")
	l.put("d", 4, 1)
	if _, ok := l.get("b"); ok {
		t.Error("the one used longest ago is still there")
	}
	l.put("large", 9, 4)
	if _, ok := l.get("large"); ok {
		t.Error("one over the capacity is kept")
	}
	l.put("e", 5, 3)
	if l.used != 3 || len(l.entries) != 1 || l.order.Len() != 1 {
		t.Errorf("uses %d with %d entries", l.used, len(l.entries))
	}
	l.put("e", 6, 2)
	if value, _ := l.get("e"); value != 6 || l.used != 2 {
		t.Errorf("value %d, uses %d", value, l.used)
	}
	none := newLRU[string, int](-1)
	none.put("a", 1, 0)
	if _, ok := none.get("a"); ok {
		t.Error("a cache of nothing keeps something")
	}
}

func TestRectanglePixels(t *testing.T) {
	for _, r := range []Rectangle{{0, 0, 1, 1}, {0.999, 0.999, 0.001, 0.001}, {0.25, 0.5, 0.5, 0.25}, {1, 1, 1e-9, 1e-9}} {
		for _, size := range [][2]int{{1, 1}, {640, 480}, {3, 7}} {
			got := r.pixels(size[0], size[1])
			if got.Empty() || got.Min.X < 0 || got.Min.Y < 0 || got.Max.X > size[0] || got.Max.Y > size[1] {
				t.Errorf("%+v of %v is %v", r, size, got)
			}
		}
	}
	if got := (Rectangle{0.25, 0.5, 0.5, 0.25}).pixels(100, 100); got.Min.X != 25 || got.Max.X != 75 || got.Min.Y != 50 || got.Max.Y != 75 {
		t.Errorf("got %v", got)
	}
}

func TestParseCalibration(t *testing.T) {
	if got, err := ParseCalibration(nil); err != nil || got != DefaultCalibration() {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err := ParseCalibration([]byte(`{"match":{"logit":2,"cosine":3,"words":-1,"intercept":-1},"strong":0.8,"other":[1]}`))
	if err != nil || got.Match != (Curve{Logit: 2, Cosine: 3, Words: -1, Intercept: -1}) || got.Strong != 0.8 || got.FusionWeight != DefaultCalibration().FusionWeight {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{`{`, `{"strong":2}`, `{"match":{"logit":-1}}`, `{"vector":{"logit":1,"cosine":1}}`, `{"match_uncaptioned":{"caption":1}}`, `{"match":{"logit":0,"cosine":0}}`, `{"fusion_weight":-0.1}`, `{"weak":0.9,"strong":0.5}`, `{"keyword_scale":0}`, `{"images":-1}`, `{"caption_words":-1}`, `{"caption_words":"x"}`} {
		if _, err := ParseCalibration([]byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestCaptionsCountLessInLongQueries(t *testing.T) {
	all, few := DefaultCalibration(), DefaultCalibration()
	few.CaptionWords = 2
	previous := 1.0
	for words := range 20 {
		for _, score := range []float64{0, 1, 20, 1000} {
			full, share := all.Words(score, words, 0), 1.0
			if score > 0 {
				share = few.Words(score, words, 0) / full
			}
			if words <= 2 && share != 1 || share > 1 || few.Words(score, words, 1) != full || few.Words(score, words, 0.5) > full {
				t.Errorf("%d words with BM25 %v: captions count %v of %v", words, score, share, full)
			}
			if score == 20 {
				if words > 2 && (share >= previous || math.Abs(share-2/float64(words)) > 1e-9) {
					t.Errorf("%d words count %v, one fewer %v", words, share, previous)
				}
				previous = share
			}
		}
	}
}

func TestOrdinal(t *testing.T) {
	var got []string
	for _, n := range []int{1, 2, 3, 4, 11, 12, 13, 21, 102, 111} {
		got = append(got, ordinal(n))
	}
	if want := []string{"1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// TestOptionProblemsHaveAnOrder: what is wrong with options is said the same way every time.
func TestOptionProblemsHaveAnOrder(t *testing.T) {
	options := Options{Window: -1, FirstWindow: -1, RerankCount: -1, RerankBatch: -1, MatchCacheEntries: -1, Calibration: &Calibration{}}
	first := options.Validate()
	for range 20 {
		if again := options.Validate(); again.Error() != first.Error() {
			t.Fatalf("%v\nis not\n%v", again, first)
		}
	}
}
