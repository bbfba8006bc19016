package termtext

import "testing"

func TestClean(t *testing.T) {
	tests := map[string]string{
		"plain 目利き é 👨‍👩‍👧": "plain 目利き é 👨‍👩‍👧",
		"a\x1b[31mb":        "a\uFFFD[31mb",
		"a\nb\x7f\u009bc":   "a\uFFFDb\uFFFD\uFFFDc",
		"cat\u202egnp.exe":  "cat\uFFFDgnp.exe",
		"a\u2028b":          "a\uFFFDb",
	}
	for text, want := range tests {
		if got := Clean(text); got != want {
			t.Errorf("Clean(%q) = %q, want %q", text, got, want)
		}
	}
	if got := CleanLines("a\n\tb\x1b"); got != "a\n\tb\uFFFD" {
		t.Errorf("CleanLines: %q", got)
	}
}
