package blip2

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/embed/ort/orttest"
)

// TestPlanted compiles small planted checkpoints: each must pass its check, and what one part loses must not cost the
// other its speed.
func TestPlanted(t *testing.T) {
	runtime := orttest.Open(t)
	for _, kind := range []string{"none", "massive", "gain", "qformer", plantedTexts} {
		t.Run(kind, func(t *testing.T) {
			source := plantedSource(t, kind, false, kind == "none")
			manifest, err := Compile(t.Context(), source, filepath.Join(t.TempDir(), "model"), CompileOptions{Runtime: runtime, Threads: 1, Logger: debugLogger()})
			if err != nil {
				t.Fatal(err)
			}
			check := *manifest.SelfCheck
			t.Logf("vision %s; query transformer %s; %+v", methodCounts(manifest.Quantization, true), methodCounts(manifest.Quantization, false), check)
			if !check.good() {
				t.Errorf("loss %.2f of what may be lost: %+v", check.loss(), check)
			}
			var vision, former, floatVision, floatFormer int
			for _, choice := range manifest.Quantization {
				float := choice.Method == string(methodFloat)
				switch {
				case strings.HasPrefix(choice.Layer, "vision_model."):
					vision++
					if float {
						floatVision++
					}
				default:
					former++
					if float {
						floatFormer++
					}
				}
			}
			// What "qformer" has also repeats many times what little the vision encoder loses.
			if kind != "gain" && kind != "qformer" && floatVision > 0 {
				t.Errorf("%d of %d vision products are in float32", floatVision, vision)
			}
			if kind != "qformer" && kind != plantedTexts && floatFormer > 0 {
				t.Errorf("%d of %d products of the query transformer are in float32", floatFormer, former)
			}
		})
	}
}

// TestLoss wants every kind of result to count.
func TestLoss(t *testing.T) {
	sound := SelfCheck{MeanCosine: 0.9998, WorstCosine: 0.9996, TextMeanCosine: 0.9998, TextWorstCosine: 0.9996,
		MarginDifference: 0.3, ProbabilityDifference: 0.02, MatchSpread: 12, CaptionDifference: 0.2, CaptionSpread: 9}
	if !sound.good() {
		t.Errorf("loss %.2f of a sound model", sound.loss())
	}
	nan := sound.MeanCosine - sound.MeanCosine
	for name, change := range map[string]func(*SelfCheck){
		"parts":       func(c *SelfCheck) { c.WorstCosine = 0.98 },
		"texts":       func(c *SelfCheck) { c.TextMeanCosine = 0.99 },
		"margin":      func(c *SelfCheck) { c.MarginDifference, c.MatchSpread = 3.8, 33 },
		"probability": func(c *SelfCheck) { c.ProbabilityDifference = 0.2 },
		"captions":    func(c *SelfCheck) { c.CaptionDifference = 1 },
		"NaN":         func(c *SelfCheck) { c.ProbabilityDifference = nan / nan },
	} {
		check := sound
		if change(&check); check.good() {
			t.Errorf("%s: a model that lost %.2f of what it may is good", name, check.loss())
		}
	}
	// Models of earlier versions measured no spreads.
	earlier := SelfCheck{MeanCosine: 0.9998, WorstCosine: 0.9996, TextMeanCosine: 0.9998, TextWorstCosine: 0.9996, MatchDifference: 0.1}
	if !earlier.good() {
		t.Errorf("loss %.2f of a sound model of an earlier version", earlier.loss())
	}
	if earlier.MatchDifference = 3.8; earlier.good() {
		t.Errorf("loss %.2f of a model of an earlier version whose logits are off by 3.8", earlier.loss())
	}
}

// TestShareOfBlame wants the part to be blamed that fails alone, or the worse one where only both together fail.
func TestShareOfBlame(t *testing.T) {
	tuner := &tuner{logger: slog.New(slog.DiscardHandler)}
	check := func(text, match float64) SelfCheck {
		return SelfCheck{MeanCosine: 1, WorstCosine: 1, TextMeanCosine: 1, TextWorstCosine: 1 - text*(1-leastWorstCosine), ProbabilityDifference: match * mostProbabilityDifference}
	}
	for _, test := range []struct {
		vision, former SelfCheck
		wantVision     bool
		wantFormer     string
	}{
		{check(0, 2), check(0, 0.5), true, ""},
		{check(0, 0.5), check(0, 2), false, MatchFile},
		{check(0, 0.5), check(2, 0.7), false, TextFile},
		{check(0, 2), check(2, 2), true, TextFile + " " + MatchFile},
		{check(0, 0.9), check(0, 0.7), true, ""},
		{check(0, 0.7), check(0.2, 0.9), false, MatchFile},
	} {
		got := tuner.share(test.vision, test.former)
		if got.vision != test.wantVision || strings.Join(got.former, " ") != test.wantFormer {
			t.Errorf("losses %.1f and %.1f: blamed %+v, want vision %t and %q", test.vision.loss(), test.former.loss(), got, test.wantVision, test.wantFormer)
		}
	}
}

// TestNarrow wants the products of the largest errors to be narrowed first, others never, and in the end float32.
func TestNarrow(t *testing.T) {
	choices := newChoices()
	for i, name := range []string{"a", "b", "c", "d", "other"} {
		choices.settle(linear{layers: []string{name}}, verdict{candidate: candidate{method: methodInt8}, error: float64(i) / 100})
	}
	concerned := func(l linear) bool { return l.name() != "other" }
	if count := choices.narrow(concerned); count != 1 || choices.levels["d"] != 1 {
		t.Fatalf("%d narrowed first: %v", count, choices.levels)
	}
	for range rounds {
		for _, l := range choices.order {
			if found, ok := choices.settled(l); ok {
				choices.settle(l, found)
			} else {
				choices.settle(l, verdict{candidate: candidate{method: methodBlocks}, error: 0.001})
			}
		}
		if choices.narrow(concerned) == 0 {
			break
		}
	}
	for _, l := range choices.order {
		found, _ := choices.settled(l)
		if float := found.method == methodFloat; float != concerned(l) {
			t.Errorf("%s is computed as %s in the end", l.name(), found.method)
		}
	}
}
