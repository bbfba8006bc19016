package wordpiece

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"mekiki/embed/tokenize"
)

// small is the smallest vocabulary that New accepts, and the words given.
func small(words ...string) []byte {
	return []byte(strings.Join(append([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, words...), "\n") + "\n")
}

func TestNewNamesWhatIsWrong(t *testing.T) {
	cases := map[string]struct {
		vocabulary []byte
		want       string
	}{
		"empty":         {nil, "[PAD], [UNK], [CLS], [SEP], [MASK]"},
		"missing":       {[]byte("[PAD]\n[UNK]\n[SEP]\ndog\n"), "special token [CLS], [MASK]"},
		"duplicate":     {small("dog", "cat", "dog"), `line 8 repeats the token "dog" of line 6`},
		"not text":      {[]byte{0x80, 0x02, 0x7d}, "not UTF-8"},
		"too long":      {small(strings.Repeat("a", 2000)), "line 6 has 2000 bytes"},
		"too many":      {make([]byte, maximumVocabularyTokens+5)[:0], "[PAD]"},
		"too large":     {make([]byte, maximumVocabularyBytes+1), "more than"},
		"endless lines": {[]byte(strings.Repeat("\n", maximumVocabularyTokens)), "lines are more"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.vocabulary)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

func TestStartIsAddedOnce(t *testing.T) {
	for _, vocabulary := range [][]byte{small("dog"), small("dog", "[DEC]"), []byte(strings.ReplaceAll(string(small("dog")), "\n", "\r\n"))} {
		tokenizer, err := New(vocabulary)
		if err != nil {
			t.Fatal(err)
		}
		if tokenizer.Special().Start != 6 || len(tokenizer.tokens) != 7 || tokenizer.token(6) != "[DEC]" {
			t.Errorf("%q: [DEC] is %d of %d", vocabulary, tokenizer.Special().Start, len(tokenizer.tokens))
		}
		if ids := tokenizer.Encode("dog", 0).IDs; !slices.Equal(ids, []int64{2, 5, 3}) {
			t.Errorf("%q: dog is %d", vocabulary, ids)
		}
	}
}

func TestSpecialTokensOfBERT(t *testing.T) {
	tokenizer := bertTokenizer(t)
	got := []int64{int64(tokenizer.special.padding), int64(tokenizer.special.unknown), int64(tokenizer.special.classifier), tokenizer.Special().End, tokenizer.Special().Start, int64(len(tokenizer.tokens))}
	if want := []int64{0, 100, 101, 102, 30522, 30523}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if tokenizer.token(-1) != "" || tokenizer.token(30523) != "" {
		t.Error("an id outside the vocabulary has a token")
	}
}

func TestTruncationKeepsTheFrame(t *testing.T) {
	tokenizer := bertTokenizer(t)
	got := tokenizer.Encode("a photo of a dog", 5)
	want := tokenizer.Encode("a photo of", 0).IDs
	if !slices.Equal(got.IDs, want) || !got.Truncated || got.Dropped != 2 {
		t.Errorf("got %+v, want %v with 2 dropped", got, want)
	}
	if got := tokenizer.Encode("a photo", 1); !slices.Equal(got.IDs, []int64{101, 102}) || got.Dropped != 2 {
		t.Errorf("at most 1: got %+v", got)
	}
}

func TestInvalidBytesAreIgnored(t *testing.T) {
	tokenizer := bertTokenizer(t)
	got := tokenizer.Encode("a \xff\xfephoto\x80 \xed\xa0\x80of", 0).IDs
	if want := tokenizer.Encode("a photo of", 0).IDs; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDecodeSkipsUnknownIDs(t *testing.T) {
	tokenizer := bertTokenizer(t)
	ids := append([]int64{-1, 1 << 40, 30522}, tokenizer.Encode("it's a dog, isn't it?", 0).IDs...)
	if got := tokenizer.Decode(ids); got != "it's a dog, isn't it?" {
		t.Errorf("got %q", got)
	}
}

func TestEncodeAllocatesOnce(t *testing.T) {
	tokenizer := bertTokenizer(t)
	for _, text := range []string{"a photo of two dogs playing in the snow", "naïve café über Zoë"} {
		if got := testing.AllocsPerRun(100, func() { tokenizer.Encode(text, 32) }); got > 1 {
			t.Errorf("%q: %v allocations", text, got)
		}
	}
}

func FuzzEncode(f *testing.F) {
	tokenizer := bertTokenizer(f)
	for i, c := range readFixture(f).Encode {
		if i%25 == 0 {
			f.Add(c.Text, 8)
		}
	}
	f.Fuzz(func(t *testing.T, text string, maximum int) {
		encoding := tokenizer.Encode(text, maximum)
		ids := encoding.IDs
		if len(ids) < 2 || ids[0] != 101 || ids[len(ids)-1] != 102 {
			t.Fatalf("%q: %v", text, ids)
		}
		if maximum > 1 && len(ids) > maximum || encoding.Truncated != (encoding.Dropped > 0) {
			t.Fatalf("%q: %d ids of at most %d, %d dropped", text, len(ids), maximum, encoding.Dropped)
		}
		for _, id := range ids {
			if id < 0 || id >= int64(len(tokenizer.tokens)) {
				t.Fatalf("%q: id %d", text, id)
			}
		}
		if decoded := tokenizer.Decode(ids); !utf8.ValidString(decoded) {
			t.Fatalf("%q decodes to %q", text, decoded)
		}
		tokenize.CleanCaption(text)
		tokenize.CleanQuestion(text)
	})
}

func FuzzVocabulary(f *testing.F) {
	f.Add(small("dog", "##s", "[DEC]"))
	f.Add(small("dog", "dog"))
	f.Add([]byte("[PAD]\r\n[UNK]\r\n"))
	f.Fuzz(func(t *testing.T, vocabulary []byte) {
		tokenizer, err := New(vocabulary)
		if err != nil {
			return
		}
		ids := tokenizer.Encode(string(vocabulary), 0).IDs
		tokenizer.Decode(ids)
		for _, id := range ids {
			if id < 0 || id >= int64(len(tokenizer.tokens)) {
				t.Fatalf("id %d of %d", id, len(tokenizer.tokens))
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	tokenizer := bertTokenizer(b)
	for name, text := range map[string]string{
		"caption":  "two dogs playing in the snow beside a wooden fence on a sunny winter day",
		"accents":  "Zoë's naïve café façade près de la forêt à Ångström, ñandú über Straße",
		"chinese":  "东京塔的夜景与富士山中文维基百科是一个自由的百科全书",
		"longword": strings.Repeat("un", 50),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				tokenizer.Encode(text, 35)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	vocabulary, err := BERTVocabulary()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := New(vocabulary); err != nil {
			b.Fatal(err)
		}
	}
}

// TestStartWithoutARow takes [DEC] in a text as plain text where the vocabulary has no row for it.
func TestStartWithoutARow(t *testing.T) {
	without, err := New(small("dog"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range without.Encode("dog [DEC] dog", 0).IDs {
		if id >= without.Special().Start {
			t.Errorf("the text has the token %d, which has no row", id)
		}
	}
	with, err := New(small("dog", "[DEC]"))
	if err != nil {
		t.Fatal(err)
	}
	if ids := with.Encode("[DEC]", 0).IDs; len(ids) != 3 || ids[1] != with.Special().Start {
		t.Errorf("[DEC] became %v", ids)
	}
}
