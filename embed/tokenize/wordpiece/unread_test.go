package wordpiece

import "testing"

// TestUnread has texts in scripts of which BERT's vocabulary has letters at most,
// and texts of which it has a word.
func TestUnread(t *testing.T) {
	tokenizer := bertTokenizer(t)
	for text, want := range map[string]bool{
		"an elephant": false, "象": true, "大きな象": true, "слон": true, "فيل": true, "ελέφαντας": true, "코끼리": true, "हाथी": true, "🍕": true,
		"éléphant": false, "象 elephant": false, "2024": false, "x": false, "": false, "...": false,
	} {
		if got := tokenizer.Encode(text, 32).Unread; got != want {
			var pieces []string
			for _, id := range tokenizer.Encode(text, 32).IDs {
				pieces = append(pieces, tokenizer.token(id))
			}
			t.Errorf("%q is %q: unread %v, want %v", text, pieces, got, want)
		}
	}
}
