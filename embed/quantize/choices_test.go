package quantize

import (
	"strings"
	"testing"

	"mekiki/embed/manifest"
)

// TestBlamed wants the part to be blamed that fails alone, or the worse one where only both together fail.
func TestBlamed(t *testing.T) {
	check := func(text, match float64) manifest.SelfCheck {
		return manifest.SelfCheck{MeanCosine: 1, WorstCosine: 1, TextMeanCosine: 1, TextWorstCosine: 1 - text*0.01, ProbabilityDifference: match * 0.1}
	}
	for _, test := range []struct {
		vision, former manifest.SelfCheck
		wantVision     bool
		wantFormer     string
	}{
		{check(0, 2), check(0, 0.5), true, ""},
		{check(0, 0.5), check(0, 2), false, manifest.MatchFile},
		{check(0, 0.5), check(2, 0.7), false, manifest.TextFile},
		{check(0, 2), check(2, 2), true, manifest.TextFile + " " + manifest.MatchFile},
		{check(0, 0.9), check(0, 0.7), true, ""},
		{check(0, 0.7), check(0.2, 0.9), false, manifest.MatchFile},
	} {
		got := blamed(test.vision, test.former)
		if got.encoder != test.wantVision || strings.Join(got.graphs, " ") != test.wantFormer {
			t.Errorf("losses %.1f and %.1f: blamed %+v, want vision %t and %q", test.vision.Loss(), test.former.Loss(), got, test.wantVision, test.wantFormer)
		}
	}
}

// TestTighten wants the products of the largest errors to be narrowed first, others never, and in the end float32.
func TestTighten(t *testing.T) {
	choices := newChoices()
	for i, name := range []string{"a", "b", "c", "d", "other"} {
		choices.note(Product{Layers: []string{name}}, verdict{candidate: candidate{method: PerRun}, error: float64(i) / 100})
	}
	concerned := func(l Product) bool { return l.Name() != "other" }
	if count := choices.tighten(concerned); count != 1 || choices.levels["d"] != 1 {
		t.Fatalf("%d narrowed first: %v", count, choices.levels)
	}
	for range rounds {
		for _, l := range choices.order {
			if found, ok := choices.decided(l); ok {
				choices.note(l, found)
			} else {
				choices.note(l, verdict{candidate: candidate{method: PerBlock}, error: 0.001})
			}
		}
		if choices.tighten(concerned) == 0 {
			break
		}
	}
	for _, l := range choices.order {
		found, _ := choices.decided(l)
		if float := found.method == Float32; float != concerned(l) {
			t.Errorf("%s is computed as %s in the end", l.Name(), found.method)
		}
	}
}
