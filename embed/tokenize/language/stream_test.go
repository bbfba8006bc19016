package language

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestStreamEqualsDecode streams all sequences of the fixtures, one token at a time.
func TestStreamEqualsDecode(t *testing.T) {
	for _, folder := range fixtures(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			tokenizer, cases, failed := openFixture(t, folder), readCases(t, folder), &failures{T: t}
			for _, c := range cases.Decode {
				stream := tokenizer.Stream()
				var text strings.Builder
				for _, id := range c.IDs {
					part := stream.Next(id)
					if !utf8.ValidString(part) {
						failed.add("%v: the part %+q is no UTF-8", head(c.IDs), part)
					}
					if text.WriteString(part); !strings.HasPrefix(c.Text, text.String()) {
						failed.add("%v: %+q was passed on before it was final", head(c.IDs), part)
					}
				}
				text.WriteString(stream.End())
				if text.String() != c.Text {
					failed.add("%v:\n got %+q\nwant %+q", head(c.IDs), text.String(), c.Text)
				}
			}
		})
	}
}

// TestStreamIsPrompt says after which token what text is final.
func TestStreamIsPrompt(t *testing.T) {
	for _, c := range []struct {
		folder, text string
	}{
		{"opt", "a cat"},
		{"vicuna", "a cat"},
		{"t5", "a cat, a dog."},
	} {
		tokenizer := openFixture(t, filepath.Join("testdata", c.folder))
		ids := tokenizer.EncodeContinuation(c.text)
		stream := tokenizer.Stream()
		var text strings.Builder
		for i, id := range ids {
			text.WriteString(stream.Next(id))
			// At most the space that the clean-up may remove is held back.
			if whole := tokenizer.Decode(ids[:i+1]); len(whole)-text.Len() > 2 {
				t.Errorf("%s, after %d tokens: %q of %q is final", c.folder, i+1, text.String(), whole)
			}
		}
		if text.WriteString(stream.End()); text.String() != c.text {
			t.Errorf("%s: got %q, want %q", c.folder, text.String(), c.text)
		}
	}
}

func TestStreamHoldsPartsOfCharacters(t *testing.T) {
	tokenizer := openFixture(t, "testdata/opt")
	var ids []int64
	for _, letter := range []string{"ð", "Ł", "ĺ", "Ģ"} { // the bytes of U+1F600
		id, ok := tokenizer.ID(letter)
		if !ok {
			t.Fatalf("no token %q", letter)
		}
		ids = append(ids, id)
	}
	stream := tokenizer.Stream()
	for i, want := range []string{"", "", "", "😀"} {
		if got := stream.Next(ids[i]); got != want {
			t.Errorf("after byte %d: got %q, want %q", i+1, got, want)
		}
	}
	stream = tokenizer.Stream()
	if got := stream.Next(ids[0]) + stream.Next(ids[1]) + stream.End(); got != "\uFFFD" {
		t.Errorf("two bytes alone: got %+q", got)
	}
}
