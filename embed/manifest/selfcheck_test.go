package manifest

import (
	"strings"
	"testing"
)

// TestLoss wants every kind of result to count.
func TestLoss(t *testing.T) {
	sound := SelfCheck{MeanCosine: 0.9998, WorstCosine: 0.9996, TextMeanCosine: 0.9998, TextWorstCosine: 0.9996,
		MarginDifference: 0.3, ProbabilityDifference: 0.02, MatchSpread: 12, CaptionDifference: 0.2, CaptionSpread: 9}
	if !sound.Good() {
		t.Errorf("loss %.2f of a sound model", sound.Loss())
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
		if change(&check); check.Good() {
			t.Errorf("%s: a model that lost %.2f of what it may is good", name, check.Loss())
		}
	}
	// Models of earlier versions measured no spreads.
	earlier := SelfCheck{MeanCosine: 0.9998, WorstCosine: 0.9996, TextMeanCosine: 0.9998, TextWorstCosine: 0.9996, MatchDifference: 0.1}
	if !earlier.Good() {
		t.Errorf("loss %.2f of a sound model of an earlier version", earlier.Loss())
	}
	if earlier.MatchDifference = 3.8; earlier.Good() {
		t.Errorf("loss %.2f of a model of an earlier version whose logits are off by 3.8", earlier.Loss())
	}
}

// TestWarnings wants a warning for a model that loses too much, and for one that int8 does not make faster.
func TestWarnings(t *testing.T) {
	check := SelfCheck{MeanCosine: 1, WorstCosine: 1, TextMeanCosine: 1, TextWorstCosine: 1, MatchDifference: 3.8, MarginDifference: 3.9,
		MatchSpread: 33, Float32Seconds: 2.7, Int8Seconds: 1}
	for _, test := range []struct {
		change func(*SelfCheck)
		want   string
	}{
		{func(*SelfCheck) {}, "loses too much"},
		{func(c *SelfCheck) { c.MarginDifference, c.Int8Seconds = 0.2, 3 }, "no speed"},
		{func(c *SelfCheck) { c.MarginDifference = 0.2 }, ""},
	} {
		changed := check
		test.change(&changed)
		got := strings.Join(Manifest{SelfCheck: &changed}.Warnings(), "; ")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("warned %q, want %q", got, test.want)
		}
	}
	if got := (Manifest{}).Warnings(); len(got) > 0 {
		t.Errorf("warned of a model in float32: %q", got)
	}
}
