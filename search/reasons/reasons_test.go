package reasons

import (
	"slices"
	"testing"

	"mekiki/search/contract"
)

func TestLine(t *testing.T) {
	likeness := 0.5
	fields := func(names ...string) (matched []contract.FieldMatch) {
		for _, name := range names {
			matched = append(matched, contract.FieldMatch{Field: name})
		}
		return matched
	}
	for want, r := range map[string]Reason{
		"passes the filters": {Basis: contract.BasisFilter},
		"match 0.87 · words in caption, name · 2nd by meaning · 13th by words": {Basis: contract.BasisMatch, Probability: 0.87, Matched: fields("caption", "name"), VectorRank: 2, KeywordRank: 13},
		"named so · words in name, the picture":                                {Basis: contract.BasisWords, Matched: fields("name", "ocr")},
		"says so · words in the picture · 21st by words":                       {Basis: contract.BasisWords, Matched: fields("ocr"), KeywordRank: 21},
		"says so · words in caption, the picture":                              {Basis: contract.BasisWords, Matched: fields("caption", "ocr")},
		"estimated 0.30, not read by ITM · likeness 0.50 · 3rd by meaning":     {Basis: contract.BasisVector, Probability: 0.3, Likeness: &likeness, VectorRank: 3},
		"likeness 0.90 · 1st by meaning":                                       {Basis: contract.BasisSimilarity, Probability: 0.9, VectorRank: 1},
	} {
		if got := Line(r); got != want {
			t.Errorf("%q, want %q", got, want)
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
