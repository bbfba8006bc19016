package searchverbs

import (
	"strings"
	"testing"

	"mekiki/search/contract"
	"mekiki/search/scoring"
)

// TestNothingMatchesClaimsNoMore: what is said of an empty answer is what was looked at.
func TestNothingMatchesClaimsNoMore(t *testing.T) {
	for want, response := range map[string]contract.Response{
		"Nothing matches: none of the 30 candidates, out of the 12431 that the library has, was judged to match (--show all shows them), 0 ms": {Hidden: 30, Searched: 12431},
		"Nothing matches: the one candidate, out of the 3 that the library has, was judged not to match (--show all shows it), 0 ms":           {Hidden: 1, Searched: 3},
		"Nothing matches: there is no candidate among the 7 that the library has, 0 ms":                                                        {Searched: 7},
		"Nothing matches: the library has none of the kind, 0 ms":                                                                              {},
	} {
		response.Verdict = scoring.VerdictNone
		var out strings.Builder
		if err := printSummary(&out, response); err != nil || strings.TrimSpace(out.String()) != want {
			t.Errorf("%q, %v; want %q", out.String(), err, want)
		}
	}
}
