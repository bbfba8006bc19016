// Package reasons says in one line why a hit is here.
//
//	Line(Reason{Basis: contract.BasisMatch, Probability: 0.87, VectorRank: 2})  // "match 0.87 · 2nd by meaning"
package reasons

import (
	"fmt"
	"strings"

	"mekiki/index/keyword"
	"mekiki/search/contract"
)

// Reason is what a line is made of.
type Reason struct {
	// Basis is what the probability rests on.
	Basis       contract.Basis
	Probability float64
	// Likeness is that to the query's picture, where the basis is another; nil without one.
	Likeness *float64
	// Matched are the fields that the words matched.
	Matched []contract.FieldMatch
	// VectorRank and KeywordRank are the places in the lists of the legs, from 1; 0 for none.
	VectorRank, KeywordRank int
}

// Line writes a reason.
func Line(r Reason) string {
	var parts []string
	add := func(format string, arguments ...any) { parts = append(parts, fmt.Sprintf(format, arguments...)) }
	switch r.Basis {
	case contract.BasisFilter:
		add("passes the filters")
	case contract.BasisWords:
		if onlyInPicture(r.Matched) {
			add("says so")
		} else {
			add("named so")
		}
	case contract.BasisMatch:
		add("match %.2f", r.Probability)
	case contract.BasisVector:
		add("estimated %.2f, not read by ITM", r.Probability)
	case contract.BasisSimilarity:
		add("likeness %.2f", r.Probability)
	}
	if r.Likeness != nil {
		add("likeness %.2f", *r.Likeness)
	}
	if len(r.Matched) > 0 {
		names := make([]string, len(r.Matched))
		for i, field := range r.Matched {
			if names[i] = field.Field; field.Field == keyword.FieldOCR {
				names[i] = "the picture"
			}
		}
		add("words in %s", strings.Join(names, ", "))
	}
	if r.VectorRank > 0 {
		add("%s by meaning", ordinal(r.VectorRank))
	}
	if r.KeywordRank > 0 {
		add("%s by words", ordinal(r.KeywordRank))
	}
	return strings.Join(parts, " · ")
}

// onlyInPicture reports whether the words matched stand in the picture, and at most in its caption too.
func onlyInPicture(matched []contract.FieldMatch) bool {
	there := false
	for _, field := range matched {
		there = there || field.Field == keyword.FieldOCR
		if field.Field != keyword.FieldOCR && field.Field != "caption" {
			return false
		}
	}
	return there
}

// ordinal writes 1st, 2nd, 3rd, 4th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
