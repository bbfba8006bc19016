package vqa_test

import (
	"math"
	"testing"

	"mekiki/internal/testjson"
	"mekiki/search/vqa"
)

// references is the file of them.
type references struct {
	Normal   [][2]string
	Accuracy []struct {
		Answer   string
		People   []string
		Accuracy float64
	}
}

// reference is what LAVIS's vqa_eval.py (506965b) made of texts: the normal form of each,
// and accuracies where both the answer and those of people were brought to it.
func reference(t *testing.T) references {
	t.Helper()
	file := testjson.Read[references](t, "testdata/reference.json")
	if len(file.Normal) < 400 || len(file.Accuracy) < 100 {
		t.Fatalf("only %d texts and %d answers", len(file.Normal), len(file.Accuracy))
	}
	return file
}

func TestNormalizeAsTheBenchmark(t *testing.T) {
	for _, pair := range reference(t).Normal {
		if got := vqa.Normalize(pair[0]); got != pair[1] {
			t.Errorf("Normalize(%q) = %q, want %q", pair[0], got, pair[1])
		}
	}
}

func TestAccuracyAsTheBenchmark(t *testing.T) {
	for _, one := range reference(t).Accuracy {
		if got := vqa.Accuracy(one.Answer, one.People); math.Abs(got-one.Accuracy) > 1e-6 {
			t.Errorf("Accuracy(%q, %q) = %v, want %v", one.Answer, one.People, got, one.Accuracy)
		}
	}
	if got := vqa.Accuracy("yes", nil); got != 0 {
		t.Errorf("without people: %v", got)
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add("The fire-truck, 1,000.")
	f.Add("\xff . a")
	f.Fuzz(func(t *testing.T, text string) { vqa.Normalize(text) })
}
