package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mekiki/embed"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/search"
)

func TestRecallOf(t *testing.T) {
	got := recallOf([]outcome{{1, 0}, {3, 0}, {0, 1}, {11, 1}, {10, 2}})
	if got.R1 != 20 || got.R5 != 40 || got.R10 != 60 || got.Queries != 5 {
		t.Errorf("got %+v", got)
	}
	if want := (1 + 1.0/3 + 1.0/11 + 1.0/10) / 5; math.Abs(got.MRR-want) > 1e-4 {
		t.Errorf("MRR %v, want %v", got.MRR, want)
	}
	if got.R10Interval[0] > got.R10 || got.R10Interval[1] < got.R10 {
		t.Errorf("interval %v does not hold %v", got.R10Interval, got.R10)
	}
	if again := recallOf([]outcome{{1, 0}, {3, 0}, {0, 1}, {11, 1}, {10, 2}}); again != got {
		t.Error("the same outcomes give another interval")
	}
	if empty := recallOf(nil); empty != (Recall{}) {
		t.Errorf("got %+v", empty)
	}
}

// TestIntervalCovers draws samples of a known mean and looks how often the
// interval holds it.
func TestIntervalCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	held := 0
	const rounds = 100
	for range rounds {
		var outcomes []outcome
		for cluster := range 60 {
			right := random.Float64()
			for range 5 { // queries of one picture are alike
				rank := 0
				if random.Float64() < right {
					rank = 1
				}
				outcomes = append(outcomes, outcome{rank, cluster})
			}
		}
		if _, interval := meanWithInterval(outcomes, func(o outcome) float64 { return float64(o.rank) }); interval[0] <= 0.5 && 0.5 <= interval[1] {
			held++
		}
	}
	if held < 85 || held > 100 {
		t.Errorf("the 95 %% interval held the mean in %d of %d draws", held, rounds)
	}
}

func TestFitCurve(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 3))
	want := search.Curve{Logit: 2, Cosine: 5, Words: 1, Caption: 3, Intercept: -3}
	var examples []example
	for range 50000 {
		e := search.Evidence{Logit: random.NormFloat64(), Cosine: random.Float64(), ContentWords: 1 + random.IntN(9), Caption: random.Float64()}
		examples = append(examples, example{e, random.Float64() < 1/(1+math.Exp(-want.Odds(e))), 1})
	}
	got, err := fitCurve(examples, true, true)
	for name, difference := range map[string]float64{
		"logit": got.Logit - want.Logit, "cosine": got.Cosine - want.Cosine, "words": got.Words - want.Words,
		"caption": got.Caption - want.Caption, "intercept": got.Intercept - want.Intercept,
	} {
		if err != nil || math.Abs(difference) > 0.3 {
			t.Errorf("%s is off by %v: %+v, %v", name, difference, got, err)
		}
	}
	if bare, err := fitCurve(examples, false, false); err != nil || bare.Logit != 0 || bare.Caption != 0 || bare.Cosine <= 0 {
		t.Errorf("without logit and caption: %+v, %v", bare, err)
	}
	at := func(logit float64, right bool) example {
		return example{search.Evidence{Logit: logit, Cosine: 0.5, ContentWords: 2}, right, 1}
	}
	apart, err := fitCurve([]example{at(1, true), at(2, true), at(-1, false), at(-2, false)}, true, false)
	if err != nil || math.IsInf(apart.Logit, 0) || apart.Odds(at(2, true).evidence) < 0.4 || apart.Odds(at(-2, true).evidence) > -0.4 {
		t.Errorf("classes apart: %+v, %v", apart, err)
	}
	if _, err := fitCurve([]example{at(1, true)}, true, false); err == nil {
		t.Error("one class is fitted")
	}
	if _, err := fitCurve([]example{at(1, false), at(2, false), at(-1, true), at(-2, true)}, true, false); err == nil {
		t.Error("a falling curve is taken")
	}
}

// TestFittedCurvesRise holds that whatever the examples, more evidence never
// makes a text less likely.
func TestFittedCurvesRise(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 9))
		var examples []example
		weights := [3]float64{random.NormFloat64() * 3, random.NormFloat64() * 3, random.NormFloat64() * 3}
		for range 200 {
			e := search.Evidence{Logit: random.NormFloat64(), Cosine: random.NormFloat64(), ContentWords: 1 + random.IntN(9), Caption: random.Float64()}
			odds := weights[0]*e.Logit + weights[1]*e.Cosine + weights[2]*e.Caption
			examples = append(examples, example{e, random.Float64() < 1/(1+math.Exp(-odds)), 1})
		}
		curve, err := fitCurve(examples, true, true)
		if err != nil {
			continue // nothing rises
		}
		low := search.Evidence{Logit: -1, Cosine: 0.1, ContentWords: 3, Caption: 0.2}
		for name, high := range map[string]search.Evidence{
			"logit": {Logit: 1, Cosine: 0.1, ContentWords: 3, Caption: 0.2}, "cosine": {Logit: -1, Cosine: 0.9, ContentWords: 3, Caption: 0.2},
			"caption": {Logit: -1, Cosine: 0.1, ContentWords: 3, Caption: 0.9},
		} {
			if curve.Odds(high) < curve.Odds(low) {
				t.Errorf("seed %d: a higher %s makes it less likely: %+v", seed, name, curve)
			}
		}
	}
}

func TestParseAnnotations(t *testing.T) {
	tests := map[string]struct {
		text string
		want []Image
	}{
		"COCO": {
			`{"dataset":"coco","images":[{"filepath":"val2014","filename":"a.jpg","split":"test","sentids":[1],"sentences":[{"raw":" A cat.\n","tokens":["a","cat"]},{"tokens":["two","cats"]}]}]}`,
			[]Image{{"val2014/a.jpg", "test", []string{"A cat.", "two cats"}}},
		},
		"Flickr": {
			`{"dataset":"flickr30k","images":[{"filename":"1.jpg","split":"val","sentences":[{"raw":"x"}]}]}`,
			[]Image{{"1.jpg", "val", []string{"x"}}},
		},
		"LAVIS": {
			` [{"image":"val/1.jpg","caption":["a","b"]},{"image":"val/2.jpg","caption":"c"},{"image":"val/2.jpg","caption":"d"}]`,
			[]Image{{"val/1.jpg", "", []string{"a", "b"}}, {"val/2.jpg", "", []string{"c", "d"}}},
		},
	}
	for name, test := range tests {
		got, err := ParseAnnotations(strings.NewReader(test.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got.Images); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestBadAnnotations(t *testing.T) {
	for text, want := range map[string]string{
		"": "empty", "hello": "no JSON object or list", `{"images":[{"filename":"a"`: "ends in the middle", `{"images":[]}`: "no images", `{"a":1}`: "no images",
		`{"images":"x"}`: `"images" at byte 13 is a string`, `[{"image":5,"caption":"x"}]`: `"image" at byte 11 is a number`, `[7]`: "is a number",
		`[{"image":"a.jpg","caption":"x"}] more`: "more behind its end", `{"images":[}`: "at byte 12",
		strings.Repeat("[", 20000):                                          "depth",
		`[{"image":"a.jpg","caption":[]}]`:                                  "0 captions",
		`[{"image":"a.jpg","caption":"  "}]`:                                "0 captions",
		`[{"image":"../a.jpg","caption":"x"}]`:                              "outside",
		`[{"image":"/etc/passwd","caption":"x"}]`:                           "outside",
		`[{"image":"a.jpg","caption":"` + strings.Repeat("x", 5000) + `"}]`: "longer than",
	} {
		_, err := ParseAnnotations(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "struct") {
			t.Errorf("%.60s: got %v, want %q", text, err, want)
		}
	}
	dataset, err := ParseAnnotations(strings.NewReader("\ufeff" + `{"images":[{"filename":"1.jpg","split":"val","sentences":[{"raw":"x"}]}]}`))
	if err != nil {
		t.Fatalf("with a byte order mark: %v", err)
	}
	if err := dataset.CheckSplits("val", "test"); err == nil || !strings.Contains(err.Error(), `"test"; the splits are ["val"]`) {
		t.Errorf("got %v", err)
	}
	if _, err := Run(t.Context(), colourEngine{}, Source{Dataset: dataset}, Options{Splits: []string{"test"}}); err == nil || !strings.Contains(err.Error(), `"test"`) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseAnnotations(f *testing.F) {
	f.Add(`{"images":[{"filepath":"a","filename":"b.jpg","sentences":[{"raw":"x"}]}]}`)
	f.Add(`[{"image":"a.jpg","caption":"x"}]`)
	f.Add(`[{"image":"a.jpg","caption":["x",1]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		dataset, err := ParseAnnotations(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, image := range dataset.Images {
			if strings.Contains(image.Path, "..") && strings.HasPrefix(image.Path, "../") || len(image.Captions) == 0 {
				t.Fatalf("%q gives %+v", text, image)
			}
		}
	})
}

// colourEngine is a model of a world of plain colours: a picture is its colour,
// and a text is the colour it names first. A blind one matches the wrong way
// round.
type colourEngine struct{ blind bool }

func colourVector(word string) []float32 {
	hash := fnv.New64a()
	hash.Write([]byte(word))
	random := rand.New(rand.NewPCG(hash.Sum64(), 9))
	vector := make([]float32, 16)
	sum := 0.0
	for i := range vector {
		vector[i] = float32(random.NormFloat64())
		sum += float64(vector[i]) * float64(vector[i])
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(sum))
	}
	return vector
}

func colourNames() []string { return []string{"red", "green", "blue", "white", "black", "yellow"} }

func colourOf(text string) string {
	for _, word := range strings.Fields(text) {
		if slices.Contains(colourNames(), word) {
			return word
		}
	}
	return text
}

func (colourEngine) Space() embed.Space {
	return embed.Space{Fingerprint: "colours", Parts: 1, Width: 16}
}
func (colourEngine) TextInfo(string) embed.TextInfo {
	return embed.TextInfo{Tokens: 3}
}

func (colourEngine) TextVectors(_ context.Context, texts []string) ([]embed.Vector, error) {
	var vectors []embed.Vector
	for _, text := range texts {
		vectors = append(vectors, colourVector(colourOf(text)))
	}
	return vectors, nil
}

func (colourEngine) ImageTokens(_ context.Context, images []*pixels.Image) ([]embed.ImageTokens, error) {
	var tokens []embed.ImageTokens
	for _, image := range images {
		tokens = append(tokens, embed.ImageTokens{Rows: 1, Columns: 3, Values: []float32{float32(image.Pix[0]), float32(image.Pix[1]), float32(image.Pix[2])}})
	}
	return tokens, nil
}

func nameOf(tokens embed.ImageTokens) string {
	for i, shade := range shades() {
		r, g, b, _ := shade.RGBA()
		distance := math.Abs(float64(tokens.Values[0])-float64(r>>8)) + math.Abs(float64(tokens.Values[1])-float64(g>>8)) + math.Abs(float64(tokens.Values[2])-float64(b>>8))
		if distance < 30 {
			return colourNames()[i]
		}
	}
	return "none"
}

func (colourEngine) ImageParts(_ context.Context, tokens []embed.ImageTokens) ([]embed.Parts, error) {
	var parts []embed.Parts
	for _, token := range tokens {
		parts = append(parts, embed.Parts{Count: 1, Width: 16, Values: colourVector(nameOf(token))})
	}
	return parts, nil
}

func (e colourEngine) MatchPairs(_ context.Context, tokens []embed.ImageTokens, texts []string) ([]embed.Match, error) {
	var matches []embed.Match
	for i, token := range tokens {
		logit := float32(-5)
		if colourOf(texts[i]) == nameOf(token) {
			logit = 5
			if e.blind {
				logit = -9
			}
		}
		matches = append(matches, embed.Match{Logits: [2]float32{-logit, logit}, Probability: 0.5})
	}
	return matches, nil
}

func (colourEngine) HasCaptions() bool { return true }

func (colourEngine) CaptionImages(_ context.Context, tokens []embed.ImageTokens, _ embed.CaptionOptions) ([][]embed.Caption, error) {
	var captions [][]embed.Caption
	for _, token := range tokens {
		captions = append(captions, []embed.Caption{{Text: "a " + nameOf(token) + " square"}})
	}
	return captions, nil
}

func shades() []color.Color {
	return []color.Color{
		color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255},
		color.White, color.Black, color.RGBA{255, 255, 0, 255},
	}
}

// colourSource is pictures of each colour, of two splits.
func colourSource(t *testing.T) Source {
	t.Helper()
	files := fstest.MapFS{}
	source := Source{Files: files, Dataset: Dataset{Name: "colours"}}
	for i, shade := range shades() {
		picture := image.NewRGBA(image.Rect(0, 0, 8+i, 8))
		for p := range picture.Bounds().Dx() * 8 {
			picture.Set(p%picture.Bounds().Dx(), p/picture.Bounds().Dx(), shade)
		}
		var data bytes.Buffer
		if err := png.Encode(&data, picture); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("images/holiday-%04d.png", i)
		files[name] = &fstest.MapFile{Data: data.Bytes()}
		colour, split := colourNames()[i], []string{"val", "test"}[i%2]
		source.Dataset.Images = append(source.Dataset.Images, Image{Path: name, Split: split, Captions: []string{"something " + colour, colour + " all over"}})
		source.Sets.FreePhrasing = append(source.Sets.FreePhrasing, Query{Query: "please " + colour, Images: []string{name}, Split: split})
		source.Sets.NearMisses = append(source.Sets.NearMisses, NearMiss{Image: name, Right: colour + " paint", Wrong: "orange paint", Edit: "colour", Split: split})
	}
	source.Sets.NoMatch = []Query{{Query: "quarterly report", Split: "test"}, {Query: "quarterly tax", Split: "val"}}
	return source
}

func TestRun(t *testing.T) {
	var steps []string
	report, err := Run(t.Context(), colourEngine{}, colourSource(t), Options{
		Splits: []string{"test"}, Folder: t.TempDir(), K: 4,
		Progress: func(doing string, done, total int) {
			if done == total {
				steps = append(steps, doing)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.Images != 6 || report.Texts != 12 || report.TextToImage.ITC.Queries != 6 || report.ImageToText.ITC.Queries != 3 {
		t.Errorf("got %+v", report)
	}
	for name, recall := range map[string]*Recall{
		"text to image, ITC": report.TextToImage.ITC, "ITC+ITM": report.TextToImage.ITCITM, "hybrid": report.TextToImage.Hybrid,
		"hybrid+ITM": report.TextToImage.HybridITM, "image to text": report.ImageToText.ITCITM, "free": report.FreePhrasing.HybridITM,
	} {
		if recall == nil || recall.R1 != 100 {
			t.Errorf("%s: %+v", name, recall)
		}
	}
	// Names say nothing of what is shown: only words find them.
	if names := report.NameQueries; names.HybridITM.R1 < 99 || names.ITCITM.R1 > 70 {
		t.Errorf("by name: hybrid+ITM %v, ITC+ITM %v", names.HybridITM.R1, names.ITCITM.R1)
	}
	if report.NearMisses.ITM.Percent != 100 || report.NearMisses.Edits["colour"].Count != 3 {
		t.Errorf("near misses: %+v", report.NearMisses)
	}
	if v := report.Verdicts; v.Answered[0].Name != "captions" || v.Answered[0].StrongHits.Recall != 100 || v.Answered[0].StrongHits.Precision != 100 ||
		v.Unanswered[0].Strong.Percent != 0 || v.Unanswered[0].Shown.Percent != 0 || v.Unanswered[0].StrongHits != nil {
		t.Errorf("verdicts: %+v", v)
	}
	if report.Approximate.Recall10 != 100 || report.Latency.Queries != 6 || len(steps) < 5 {
		t.Errorf("got %+v, %+v, %v", report.Approximate, report.Latency, steps)
	}
	data, err := json.Marshal(report)
	if err != nil || !strings.Contains(string(data), `"text_to_image":{"itc":{"r1":100,"r5":100,"r10":100,`) {
		t.Errorf("JSON is %s, %v", data, err)
	}
}

func TestCalibrate(t *testing.T) {
	calibration, err := Calibrate(t.Context(), colourEngine{}, colourSource(t), CalibrateOptions{Options: Options{Splits: []string{"val"}, Folder: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	of := func(logit, cosine float64) float64 {
		odds := calibration.Odds(search.Evidence{Logit: logit, Cosine: cosine, ContentWords: 2, Caption: math.NaN()})
		return 1 / (1 + math.Exp(-odds))
	}
	if p := of(6, 0.9); p < calibration.Strong {
		t.Errorf("a true match has %v, strong begins at %v", p, calibration.Strong)
	}
	if p := of(-5, 0); p >= calibration.Weak {
		t.Errorf("a wrong match has %v, weak begins at %v", p, calibration.Weak)
	}
	// Where matching is the wrong way round, the cosine has to bear it alone.
	blind, err := Calibrate(t.Context(), colourEngine{blind: true}, colourSource(t), CalibrateOptions{Options: Options{Splits: []string{"val"}, Folder: t.TempDir()}})
	if err != nil || blind.MatchUncaptioned.Logit != 0 || blind.MatchUncaptioned.Cosine <= 0 || calibration.MatchUncaptioned.Logit == 0 {
		t.Errorf("a blind matcher's curve is %+v and a seeing one's %+v, %v", blind.MatchUncaptioned, calibration.MatchUncaptioned, err)
	}
}

func TestSelfCheck(t *testing.T) {
	library, err := index.Open(t.Context(), t.TempDir(), index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	if _, err := SelfCheck(t.Context(), library, colourEngine{}, Options{}); !errors.Is(err, ErrNoCaptions) {
		t.Errorf("an empty library gives %v", err)
	}
	source := colourSource(t)
	if _, err := build(t.Context(), []target{{library: library}}, colourEngine{}, source.Files, source.Dataset, nil); err != nil {
		t.Fatal(err)
	}
	report, err := SelfCheck(t.Context(), library, colourEngine{}, Options{})
	if err != nil || report.SelfCheck.ITC.R1 != 100 || report.SelfCheck.HybridITM != nil || report.Images != 6 {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestBadPictureIsNamed(t *testing.T) {
	source := colourSource(t)
	source.Files.(fstest.MapFS)["images/holiday-0003.png"].Data = []byte("no picture")
	_, err := Run(t.Context(), colourEngine{}, source, Options{Folder: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "holiday-0003.png") {
		t.Errorf("got %v", err)
	}
}

func TestRankingFileName(t *testing.T) {
	if got := RankingFileName(`two cats; -"red  dog" folder:X`); got != "two_cats_red_dog_folder_x.txt" {
		t.Error(got)
	}
}

func TestWriteRanking(t *testing.T) {
	library, err := index.Open(t.Context(), t.TempDir(), index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer library.Close()
	source := colourSource(t)
	if _, err := build(t.Context(), []target{{library: library, names: NamesOwn}}, colourEngine{}, source.Files, source.Dataset, nil); err != nil {
		t.Fatal(err)
	}
	searcher, err := search.New(search.FromIndex(library), colourEngine{}, search.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteRanking(t.Context(), &out, searcher, "blue paper", 3); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "query:   blue paper\nverdict: strong\n\n 1  strong holiday-0002.png") {
		t.Errorf("got %s", out.String())
	}
}
