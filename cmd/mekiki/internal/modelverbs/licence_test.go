package modelverbs

import (
	"strings"
	"testing"
)

// TestAcceptedAnswer takes a plain yes, and nothing else, for one.
func TestAcceptedAnswer(t *testing.T) {
	for answer, want := range map[string]bool{
		"y\n": true, "Yes\r\n": true, " yes \n": true, "\n": false, "n\n": false, "yeah\n": false, "": false, "y": false,
		strings.Repeat("y", 100) + "\n": false,
	} {
		if got := acceptedAnswer(strings.NewReader(answer)); got != want {
			t.Errorf("%.20q: %t", answer, got)
		}
	}
}
