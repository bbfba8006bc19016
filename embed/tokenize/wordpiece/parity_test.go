package wordpiece

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mekiki/embed/tokenize"
)

// fixture is what train/fixtures/tokenizer_cases.py writes.
type fixture struct {
	Encode []struct {
		Text   string             `json:"text"`
		IDs    []int64            `json:"ids"`
		Limits map[string][]int64 `json:"limits"`
	} `json:"encode"`
	Decode []struct {
		IDs  []int64 `json:"ids"`
		Text string  `json:"text"`
	} `json:"decode"`
	Captions []struct {
		Text     string `json:"text"`
		Caption  string `json:"caption"`
		Question string `json:"question"`
	} `json:"captions"`
}

func readFixture(t testing.TB) fixture {
	t.Helper()
	file, err := os.Open("testdata/cases.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases fixture
	if err := json.NewDecoder(reader).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func bertTokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	vocabulary, err := BERTVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := New(append(vocabulary, "[DEC]\n"...))
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

func TestEncodeEqualsTransformers(t *testing.T) {
	tokenizer := bertTokenizer(t)
	cases := readFixture(t).Encode
	if len(cases) < 3000 {
		t.Fatalf("only %d texts", len(cases))
	}
	limited := 0
	for _, c := range cases {
		encoding := tokenizer.Encode(c.Text, 0)
		if !slices.Equal(encoding.IDs, c.IDs) || encoding.Truncated || encoding.Dropped != 0 {
			t.Errorf("%+q:\n got %v\nwant %v", c.Text, encoding, c.IDs)
		}
		for text, want := range c.Limits {
			limit, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			got := tokenizer.Encode(c.Text, limit)
			if !slices.Equal(got.IDs, want) {
				t.Errorf("%+q, at most %d:\n got %v\nwant %v", c.Text, limit, got.IDs, want)
			}
			if dropped := len(c.IDs) - len(want); got.Dropped != dropped || got.Truncated != (dropped > 0) {
				t.Errorf("%+q, at most %d: reports %d dropped, want %d", c.Text, limit, got.Dropped, dropped)
			}
			limited++
		}
	}
	if limited < 200 {
		t.Errorf("only %d truncations", limited)
	}
}

func TestDecodeEqualsTransformers(t *testing.T) {
	tokenizer := bertTokenizer(t)
	cases := readFixture(t).Decode
	if len(cases) < 1000 {
		t.Fatalf("only %d sequences", len(cases))
	}
	for _, c := range cases {
		if got := tokenizer.Decode(c.IDs); got != c.Text {
			t.Errorf("%v:\n got %+q\nwant %+q", c.IDs, got, c.Text)
		}
	}
}

func TestCleaningEqualsPython(t *testing.T) {
	cases := readFixture(t).Captions
	if len(cases) < 1000 {
		t.Fatalf("only %d captions", len(cases))
	}
	for _, c := range cases {
		if got := tokenize.CleanCaption(c.Text); got != c.Caption {
			t.Errorf("caption %+q:\n got %+q\nwant %+q", c.Text, got, c.Caption)
		}
		if got := tokenize.CleanQuestion(c.Text); got != c.Question {
			t.Errorf("question %+q:\n got %+q\nwant %+q", c.Text, got, c.Question)
		}
	}
}

// TestEveryCodePoint compares the words that "x", a code point and "y" make
// with those of the tokenizers library, for all of Unicode but the capital
// letters whose lower case is newer than Go's tables. The digest is what
// train/fixtures/tokenizer_unicode.py prints.
func TestEveryCodePoint(t *testing.T) {
	const want = "134f069eaa1a2fcac24968a9cc052c928a15cb8b816a7e061a1116d769ec12e0"
	newLower := [][2]rune{
		{0x1C89, 0x1C89}, {0xA7CB, 0xA7CC}, {0xA7CE, 0xA7CE}, {0xA7D2, 0xA7D2}, {0xA7D4, 0xA7D4},
		{0xA7DA, 0xA7DA}, {0xA7DC, 0xA7DC}, {0x10D50, 0x10D65}, {0x16EA0, 0x16EB8},
	}
	digest := sha256.New()
	var words []byte
	for r := rune(0); r <= 0x10FFFF; r++ {
		if r >= 0xD800 && r < 0xE000 || slices.ContainsFunc(newLower, func(part [2]rune) bool {
			return r >= part[0] && r <= part[1]
		}) {
			continue
		}
		words = appendWords(words[:0], "x"+string(r)+"y")
		fmt.Fprintf(digest, "%x\t%s\n", r, strings.TrimSuffix(string(words), " "))
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
