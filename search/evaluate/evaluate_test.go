package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"mekiki/index/local"
	"mekiki/search/evaluate/datasets"
	"mekiki/search/evaluate/statistics"
	"mekiki/search/scoring"
)

func TestRun(t *testing.T) {
	var steps []string
	report, err := Run(t.Context(), colourEngine{}, colourSource(t), Options{Open: openLocal,
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
	for name, recall := range map[string]*statistics.Recall{
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
	calibration, err := Calibrate(t.Context(), colourEngine{}, colourSource(t), CalibrateOptions{Options: Options{Open: openLocal, Splits: []string{"val"}, Folder: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	of := func(itm, itc float64) float64 {
		return scoring.Sigmoid(calibration.Odds(scoring.Evidence{ITM: itm, ITC: itc, ContentWords: 2}))
	}
	if p := of(6, 0.9); p < calibration.Strong {
		t.Errorf("a true match has %v, strong begins at %v", p, calibration.Strong)
	}
	if p := of(-5, 0); p >= calibration.Weak {
		t.Errorf("a wrong match has %v, weak begins at %v", p, calibration.Weak)
	}
	if of(math.NaN(), 0.9) <= of(math.NaN(), 0) || of(math.NaN(), 0.9) >= of(6, 0.9) {
		t.Errorf("estimates of %v and %v", of(math.NaN(), 0.9), of(math.NaN(), 0))
	}
	// Where matching is the wrong way round, the cosine has to bear it alone.
	blind, err := Calibrate(t.Context(), colourEngine{blind: true}, colourSource(t), CalibrateOptions{Options: Options{Open: openLocal, Splits: []string{"val"}, Folder: t.TempDir()}})
	cosine := func(c scoring.Calibration) float64 {
		return c.Weights[scoring.FeatureITC] + c.Weights[scoring.FeatureITCLength]
	}
	if err != nil || blind.Weights[scoring.FeatureITM] != 0 || cosine(blind) <= 0 || calibration.Weights[scoring.FeatureITM] == 0 {
		t.Errorf("a blind matcher's weights are %+v and a seeing one's %+v, %v", blind.Weights, calibration.Weights, err)
	}
}

func TestSelfCheck(t *testing.T) {
	library, err := local.Open(t.Context(), t.TempDir(), local.Options{})
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
	_, err := Run(t.Context(), colourEngine{}, source, Options{Open: openLocal, Folder: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "holiday-0003.png") {
		t.Errorf("got %v", err)
	}
}

func TestRankingFileName(t *testing.T) {
	if got := rankingFileName(`two cats; -"red  dog" folder:X`); got != "two_cats_red_dog_folder_x.txt" {
		t.Error(got)
	}
}

func TestWriteRanking(t *testing.T) {
	searcher := colourSearcher(t, colourSource(t))
	var out bytes.Buffer
	if err := writeRanking(t.Context(), &out, searcher, "blue paper", 3); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "query:   blue paper\nverdict: strong\n\n 1  strong holiday-0002.png") {
		t.Errorf("got %s", out.String())
	}
}

// openLocal opens libraries on disk.
func openLocal(ctx context.Context, folder string) (Library, error) {
	return local.Open(ctx, folder, local.Options{})
}

func TestUnknownSplit(t *testing.T) {
	dataset := datasets.Dataset{Images: []datasets.Image{{Path: "1.jpg", Split: "val", Captions: []string{"x"}}}}
	_, err := Run(t.Context(), colourEngine{}, Source{Dataset: dataset}, Options{Open: openLocal, Splits: []string{"test"}})
	if err == nil || !strings.Contains(err.Error(), `"test"`) {
		t.Errorf("got %v", err)
	}
}
