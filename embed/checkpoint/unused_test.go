package checkpoint

import "testing"

// TestUnusedRows wants padded embeddings of every size to be allowed, and vocabularies of other models not.
func TestUnusedRows(t *testing.T) {
	for _, test := range []struct {
		rows, tokens int
		allowed      bool
	}{
		{30528, 30524, true},  // padded to 64
		{30720, 30524, true},  // padded to 512
		{30523, 29000, false}, // another vocabulary
		{30523, 123, false},
		{1152, 1030, true}, // padded to 128
		{1152, 900, false},
		{128, 66, true}, // padded to 64
		{128, 30, false},
		{40, 39, true},
		{40, 5, false},
	} {
		if got := test.rows-test.tokens <= mostUnusedRows(test.rows); got != test.allowed {
			t.Errorf("%d tokens for %d rows: allowed %t, want %t", test.tokens, test.rows, got, test.allowed)
		}
	}
}
