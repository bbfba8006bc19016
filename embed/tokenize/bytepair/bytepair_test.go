package bytepair

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// lower is a model of characters with the merges of Sennrich's example.
func lower() Options {
	return Options{
		Vocabulary: map[string]int64{
			"l": 0, "o": 1, "w": 2, "e": 3, "r": 4, "lo": 5, "low": 6, "er": 7, "?": 8,
			"<0xC3>": 9, "<0xA9>": 10,
		},
		Merges: []Merge{{"l", "o"}, {"lo", "w"}, {"e", "r"}},
	}
}

func ExampleModel_Append() {
	model, err := New(lower())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(model.Append(nil, "lower"), model.Append(nil, "wolf"))
	// Output: [6 7] [2 1 0]
}

func TestUnknownCharacters(t *testing.T) {
	for _, c := range []struct {
		name    string
		options func(*Options)
		text    string
		want    []int64
	}{
		{"left out", func(*Options) {}, "oxxe", []int64{1, 3}},
		{"each", func(o *Options) { o.Unknown = "?" }, "oxxe", []int64{1, 8, 8, 3}},
		{"fused", func(o *Options) { o.Unknown, o.FuseUnknown = "?", true }, "oxxex", []int64{1, 8, 3, 8}},
		{"bytes", func(o *Options) { o.ByteFallback = true }, "oée", []int64{1, 9, 10, 3}},
		{"bytes where there are all", func(o *Options) { o.Unknown, o.ByteFallback = "?", true }, "oèéx", []int64{1, 9, 10, 8, 8}},
		{"whole word", func(o *Options) { o.WholeWords = true }, "er", []int64{7}},
		{"empty", func(*Options) {}, "", nil},
	} {
		options := lower()
		c.options(&options)
		model, err := New(options)
		if err != nil {
			t.Fatal(err)
		}
		if got := model.Append(nil, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s, %q: got %v, want %v", c.name, c.text, got, c.want)
		}
	}
}

func TestLetters(t *testing.T) {
	seen := map[rune]bool{}
	for b, letter := range Letters() {
		got, ok := AppendBytes(nil, string(letter))
		if !ok || len(got) != 1 || got[0] != byte(b) || seen[letter] {
			t.Errorf("byte %02x: its letter %q is %x", b, letter, got)
		}
		seen[letter] = true
	}
	if got, ok := AppendBytes([]byte("x"), "a cat"); ok || string(got) != "x" {
		t.Errorf("a space is no letter, but got %q", got)
	}
}

// TestLongWordsEqualShort compares the two ways of merging.
func TestLongWordsEqualShort(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		model := randomModel(t, random)
		for range 30 {
			var text strings.Builder
			for range random.IntN(80) {
				text.WriteByte("abc"[random.IntN(3)])
			}
			var short, long word
			model.beginCharacters(&short, text.String())
			model.beginCharacters(&long, text.String())
			short.mergeShort(&model.merges)
			long.mergeLong(&model.merges)
			if !slices.Equal(symbolIDs(&short), symbolIDs(&long)) {
				t.Fatalf("%q: %v and %v", text.String(), symbolIDs(&short), symbolIDs(&long))
			}
		}
	}
}

func symbolIDs(w *word) (ids []int32) {
	for _, s := range w.symbols {
		if s.id >= 0 {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// randomModel has random merges over three letters.
func randomModel(t testing.TB, random *rand.Rand) *Model {
	t.Helper()
	options := Options{Vocabulary: map[string]int64{"a": 0, "b": 1, "c": 2}}
	tokens := []string{"a", "b", "c"}
	for range 40 {
		left, right := tokens[random.IntN(len(tokens))], tokens[random.IntN(len(tokens))]
		if len(left)+len(right) > 12 {
			continue
		}
		if _, ok := options.Vocabulary[left+right]; !ok {
			options.Vocabulary[left+right] = int64(len(tokens))
			tokens = append(tokens, left+right)
		}
		options.Merges = append(options.Merges, Merge{left, right})
	}
	model, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func TestBadModels(t *testing.T) {
	for _, c := range []struct {
		name    string
		options Options
		want    string
	}{
		{"negative id", Options{Vocabulary: map[string]int64{"a": -1}}, "has the id -1"},
		{"large id", Options{Vocabulary: map[string]int64{"a": maximumTokens}}, "has the id"},
		{"left", Options{Vocabulary: map[string]int64{"a": 0}, Merges: []Merge{{"b", "a"}}}, `merge 1 is of "b"`},
		{"right", Options{Vocabulary: map[string]int64{"a": 0}, Merges: []Merge{{"a", "b"}}}, `merge 1 is of "b"`},
		{"whole", Options{Vocabulary: map[string]int64{"a": 0, "b": 1}, Merges: []Merge{{"a", "b"}}}, `merge 1 makes "ab"`},
		{"unknown", Options{Vocabulary: map[string]int64{"a": 0}, Unknown: "?"}, `the unknown token "?"`},
		{"many merges", Options{Merges: make([]Merge, maximumMerges+1)}, "more than the"},
	} {
		if _, err := New(c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func FuzzAppend(f *testing.F) {
	f.Add(uint64(1), "abcabcaabbcc")
	f.Add(uint64(2), strings.Repeat("ab", 100))
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		model := randomModel(t, rand.New(rand.NewPCG(seed, 0)))
		known := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'c' {
				return r
			}
			return -1
		}, text)
		if a, b := model.Append(nil, text), model.Append(nil, known); !slices.Equal(a, b) {
			t.Errorf("%q: %v, without what it does not know %v", text, a, b)
		}
	})
}
