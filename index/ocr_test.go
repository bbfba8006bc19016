package index

import (
	"math"
	"strings"
	"testing"
)

func TestOCRChecked(t *testing.T) {
	line := OCRLine{Text: "Gate 9", Score: 0.5}
	for name, wrong := range map[string]OCR{
		"no model":  {Lines: []OCRLine{line}},
		"two lines": {Model: "m", Lines: []OCRLine{{Text: "a\nb"}}},
		"no text":   {Model: "m", Lines: []OCRLine{{}}},
		"no UTF-8":  {Model: "m", Lines: []OCRLine{{Text: "\xff"}}},
		"a score":   {Model: "m", Lines: []OCRLine{{Text: "a", Score: float32(math.NaN())}}},
		"outside":   {Model: "m", Lines: []OCRLine{{Text: "a", Corners: [4]Pixel{{X: -1}}}}},
		"too many":  {Model: "m", Lines: make([]OCRLine, MaximumOCRLines+1)},
		"too long":  {Model: "m", Lines: []OCRLine{{Text: strings.Repeat("a", MaximumOCRBytes)}, line}},
	} {
		if wrong.Check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	var none *OCR
	if none.Check() != nil || none.Texts() != nil || none.Clone() != nil || (&OCR{Model: "m", Lines: []OCRLine{line}}).Check() != nil {
		t.Error("what can be kept is not taken")
	}
	long := OCR{Model: "m", Lines: []OCRLine{{Text: strings.Repeat("a", MaximumOCRBytes)}, line}}.Bounded()
	many := OCR{Model: "m", Lines: make([]OCRLine, MaximumOCRLines+5)}.Bounded()
	if len(long.Lines) != 1 || long.Check() != nil || len(many.Lines) != MaximumOCRLines {
		t.Errorf("%d and %d lines are within the limits", len(long.Lines), len(many.Lines))
	}
}
