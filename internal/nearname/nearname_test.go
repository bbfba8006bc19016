package nearname

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"bucket", "region", "prefix", "ca"}
	for word, want := range map[string]string{"buckt": "bucket", "regoin": "region", "Prefix": "prefix", "zz": "", "": "", "something": "", "cb": "ca"} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
