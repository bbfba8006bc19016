package search

import (
	"encoding/json"
	"io/fs"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"mekiki/embed/builtin"
	"mekiki/search/scoring"
)

func TestParseCalibration(t *testing.T) {
	good := `{"version":2,"weights":{"itm":0.9,"itc":1,"bias":-2},"expected_itm":{"itc":20},"name":3,"library":-0.5,"images":10,"strong":0.8,"weak":0.1}`
	got, err := scoring.ParseCalibration([]byte(good))
	if err != nil || got.Weights[scoring.FeatureITM] != 0.9 || got.Weights[scoring.FeatureBias] != -2 || got.ExpectedITM[scoring.FeatureITC] != 20 || got.Weights[scoring.FeatureWords] != 0 || got.Images != 10 {
		t.Errorf("got %+v, %v", got, err)
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := scoring.ParseCalibration(data); err != nil || again != got {
		t.Errorf("%s is read as %+v, %v", data, again, err)
	}
	// Nothing, and what an earlier version fitted, is ranked by the published rule.
	for _, none := range []string{"", "null", `{"match":{"logit":2,"cosine":3,"words":-1},"strong":0.8}`} {
		if got, err := scoring.ParseCalibration([]byte(none)); err != nil || got != scoring.DefaultCalibration() {
			t.Errorf("%q: got %+v, %v", none, got, err)
		}
	}
	for old, bad := range map[string]string{
		`"version":2`: `"version":3`, `"bias"`: `"bais"`, `0.9`: `-0.9`, `"expected_itm":{"itc":20}`: `"expected_itm":{"itm":1}`, `"itc":20`: `"itc":-20`,
		`"name":3`: `"name":-1`, `-0.5`: `0.5`, `"images":10`: `"images":-1`, `"strong":0.8`: `"strong":2`, `"weak":0.1`: `"weak":0.9`, `{"itm":0.9,"itc":1,"bias":-2}`: `{"bias":1}`, `}`: `)`,
	} {
		if _, err := scoring.ParseCalibration([]byte(strings.Replace(good, old, bad, 1))); err == nil {
			t.Errorf("%s in place of %s is read", bad, old)
		}
	}
}

// TestOddsAreTheFormula computes log-odds by hand, as docs/ranking.md has them.
func TestOddsAreTheFormula(t *testing.T) {
	c := scoring.Calibration{
		Weights:      scoring.Features{scoring.FeatureBias: -2, scoring.FeatureLength: -3, scoring.FeatureITC: 1, scoring.FeatureITCLength: 6, scoring.FeatureITM: 0.9, scoring.FeatureWords: 1.5, scoring.FeatureAllWords: 2.5, scoring.FeatureCaptioned: -0.5},
		ExpectedITM:  scoring.Features{scoring.FeatureBias: -6, scoring.FeatureITC: 10, scoring.FeatureWords: 4},
		ITMDeviation: 2, Name: 3, Library: -0.5, Images: 100, Strong: 0.6, Weak: 0.1,
	}
	length := math.Log(3)
	content := -2 - 3*length + 0.4 + 6*0.4*length
	words := 1.5*2/3 - 0.5
	for name, test := range map[string]struct {
		evidence scoring.Evidence
		want     float64
	}{
		"read":            {scoring.Evidence{ITM: 5, ITC: 0.4, ContentWords: 3, Words: 2.0 / 3, Captioned: true}, content + 0.9*5 + words},
		"all words":       {scoring.Evidence{ITM: 5, ITC: 0.4, ContentWords: 3, Words: 1, Captioned: true}, content + 0.9*5 + 1.5 + 2.5 - 0.5},
		"words left out":  {scoring.Evidence{ITM: 5, ITC: 0.4, ContentWords: 3}, content + 0.9*5},
		"not read":        {scoring.Evidence{ITM: math.NaN(), ITC: 0.4, ContentWords: 3, Words: 2.0 / 3, Captioned: true}, (content + words + 0.9*(-6+4+4*2.0/3)) / math.Sqrt(1+math.Pi/8*1.8*1.8)},
		"refused others":  {scoring.Evidence{ITM: math.NaN(), ITC: 0.4, ContentWords: 3, Surprise: -3}, (content + 0.9*(-6+4-3)) / math.Sqrt(1+math.Pi/8*1.8*1.8)},
		"larger library":  {scoring.Evidence{ITM: 5, ITC: 0.4, ContentWords: 3, Images: 400}, content + 0.9*5 - math.Log(4)/2},
		"smaller library": {scoring.Evidence{ITM: 5, ITC: 0.4, ContentWords: 3, Images: 40}, content + 0.9*5},
	} {
		if got := c.Odds(test.evidence); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
	read := []scoring.Evidence{{ITM: -7, ITC: 0.4, ContentWords: 3}, {ITM: -6, ITC: 0.2, ContentWords: 3}} // expected: -2 and -4
	if got := c.Surprise(read); math.Abs(got+7.0/6) > 1e-9 || c.Surprise(nil) != 0 || c.Surprise([]scoring.Evidence{{ITM: 9, ContentWords: 3}}) != 0 {
		t.Errorf("ITM surprises by %v", got)
	}
	if got := c.Named(-8, 1); got != 3 {
		t.Errorf("a name is worth %v where the picture shows something else", got)
	}
	if got := c.Named(2, 0.6); math.Abs(got-3.8) > 1e-9 {
		t.Errorf("a folder's name adds up to %v", got)
	}
}

// TestOddsRiseWithEvidence: more of any evidence never makes a text less likely, read
// or not.
func TestOddsRiseWithEvidence(t *testing.T) {
	calibration, err := scoring.ParseCalibration(builtinCalibration(t))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(4, 1))
	for _, c := range []scoring.Calibration{scoring.DefaultCalibration(), calibration} {
		for range 2000 {
			e := scoring.Evidence{ITM: math.NaN(), ITC: random.Float64(), ContentWords: 1 + random.IntN(9), Words: random.Float64(), Captioned: true}
			if random.IntN(2) == 0 {
				e.ITM = 8 * random.NormFloat64()
			}
			low := c.Odds(e)
			for name, more := range map[string]func(*scoring.Evidence){
				"itc": func(e *scoring.Evidence) { e.ITC += 0.1 }, "itm": func(e *scoring.Evidence) { e.ITM++ }, "words": func(e *scoring.Evidence) { e.Words = min(e.Words+0.3, 1) },
			} {
				higher := e
				more(&higher)
				if got := c.Odds(higher); got < low-1e-9 {
					t.Fatalf("more %s: %v after %v, %+v", name, got, low, e)
				}
			}
		}
	}
}

func builtinCalibration(t *testing.T) []byte {
	t.Helper()
	data, err := fs.ReadFile(builtin.Checkpoint(), "calibration.json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestOptionProblemsHaveAnOrder: what is wrong with options is said the same way every time.
func TestOptionProblemsHaveAnOrder(t *testing.T) {
	options := Options{Window: -1, FirstWindow: -1, RerankCount: -1, RerankBatch: -1, MatchCacheEntries: -1, Calibration: &scoring.Calibration{}}
	first := options.Validate()
	for range 20 {
		if again := options.Validate(); again.Error() != first.Error() {
			t.Fatalf("%v\nis not\n%v", again, first)
		}
	}
}
