package language

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fixture is what train/fixtures/language_cases.py writes.
type fixture struct {
	Encode []struct {
		Text   string             `json:"text"`
		IDs    []int64            `json:"ids"`
		Plain  []int64            `json:"plain"`
		Limits map[string][]int64 `json:"limits"`
	} `json:"encode"`
	Decode []struct {
		IDs  []int64 `json:"ids"`
		Text string  `json:"text"`
	} `json:"decode"`
	Named map[string]*int64 `json:"named"`
	Size  int               `json:"size"`
}

// readFixture reads a file of testdata, compressed or not; where it is not there,
// from the folder that like.txt names.
func readFixture(folder, name string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err == nil {
		return content, nil
	}
	content, err = os.ReadFile(filepath.Join(folder, name+".gz"))
	if errors.Is(err, fs.ErrNotExist) && name != "like.txt" {
		if like, err := readFixture(folder, "like.txt"); err == nil {
			return readFixture(filepath.Join(filepath.Dir(folder), string(like)), name)
		}
	}
	if err != nil {
		return nil, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

func openFixture(t testing.TB, folder string) *Tokenizer {
	t.Helper()
	tokenizer, err := Open(func(name string) ([]byte, error) { return readFixture(folder, name) })
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// fixtures are the folders of tokenizers: those of testdata and, where
// MEKIKI_TOKENIZERS names a folder, those in it that have cases.
func fixtures(t testing.TB) []string {
	t.Helper()
	var folders []string
	for _, root := range []string{"testdata", os.Getenv("MEKIKI_TOKENIZERS")} {
		cases, err := filepath.Glob(filepath.Join(root, "*", "cases.json.gz"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range cases {
			folders = append(folders, filepath.Dir(file))
		}
	}
	return folders
}

func readCases(t testing.TB, folder string) fixture {
	t.Helper()
	content, err := readFixture(folder, "cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases fixture
	if err := json.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// failures reports the first few failures of a folder and counts the others.
type failures struct {
	*testing.T
	count int
}

func (f *failures) add(format string, arguments ...any) {
	f.Helper()
	if f.count++; f.count <= 8 {
		f.Errorf(format, arguments...)
	}
}

func short(text string) string {
	if len(text) > 300 {
		return text[:300] + "…"
	}
	return text
}

func TestEncodeEqualsTransformers(t *testing.T) {
	for _, folder := range fixtures(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			tokenizer, cases, failed := openFixture(t, folder), readCases(t, folder), &failures{T: t}
			if len(cases.Encode) < 600 {
				t.Fatalf("only %d texts", len(cases.Encode))
			}
			for _, c := range cases.Encode {
				encoding := tokenizer.Encode(c.Text, 0)
				if !slices.Equal(encoding.IDs, c.IDs) || encoding.Truncated || encoding.Dropped != 0 {
					at := firstDifference(encoding.IDs, c.IDs)
					failed.add("%+q, from token %d:\n got %v\nwant %v", short(c.Text), at, head(encoding.IDs[at:]), head(c.IDs[at:]))
				}
				plain := c.Plain
				if plain == nil {
					plain = c.IDs
				}
				if got := tokenizer.EncodeContinuation(c.Text); !slices.Equal(got, plain) {
					failed.add("%+q without special tokens:\n got %v\nwant %v", short(c.Text), head(got), head(plain))
				}
				for text, want := range c.Limits {
					limit, err := strconv.Atoi(text)
					if err != nil {
						t.Fatal(err)
					}
					got := tokenizer.Encode(c.Text, limit)
					dropped := len(c.IDs) - len(want)
					if !slices.Equal(got.IDs, want) || got.Dropped != dropped || got.Truncated != (dropped > 0) {
						failed.add("%+q, at most %d:\n got %v\nwant %v", short(c.Text), limit, got, want)
					}
				}
			}
			t.Logf("%d texts, %d failures", len(cases.Encode), failed.count)
		})
	}
}

func firstDifference(a, b []int64) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func head(ids []int64) []int64 { return ids[:min(len(ids), 40)] }

func TestDecodeEqualsTransformers(t *testing.T) {
	for _, folder := range fixtures(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			tokenizer, cases, failed := openFixture(t, folder), readCases(t, folder), &failures{T: t}
			if len(cases.Decode) < 400 {
				t.Fatalf("only %d sequences", len(cases.Decode))
			}
			for _, c := range cases.Decode {
				if got := tokenizer.Decode(c.IDs); got != c.Text {
					failed.add("%v:\n got %+q\nwant %+q", head(c.IDs), short(got), short(c.Text))
				}
			}
			t.Logf("%d sequences, %d failures", len(cases.Decode), failed.count)
			if tokenizer.Size() != cases.Size {
				t.Errorf("%d tokens, want %d", tokenizer.Size(), cases.Size)
			}
			for name, got := range map[string]int64{
				"bos": tokenizer.named.start, "eos": tokenizer.named.end, "unk": tokenizer.named.unknown, "pad": tokenizer.named.padding,
			} {
				want := int64(noToken)
				if id := cases.Named[name]; id != nil {
					want = *id
				}
				if got != want {
					t.Errorf("%s is %d, want %d", name, got, want)
				}
			}
		})
	}
}

func TestUnread(t *testing.T) {
	for _, c := range []struct {
		folder, text string
		want         bool
	}{
		{"t5", "\u1234 \u1235", true}, {"t5", "a \u1234", false}, {"t5", "", false}, {"t5", " ", false},
		{"opt", "\u1234", false}, {"vicuna", "\u1234", false},
	} {
		tokenizer := openFixture(t, filepath.Join("testdata", c.folder))
		if got := tokenizer.Encode(c.text, 0); got.Unread != c.want {
			t.Errorf("%s, %q: %+v", c.folder, c.text, got)
		}
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	tokenizer, cases := openFixture(t, "testdata/vicuna"), readCases(t, "testdata/vicuna")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, c := range cases.Encode[:200] {
				if got := tokenizer.Encode(c.Text, 0).IDs; !slices.Equal(got, c.IDs) {
					t.Errorf("%+q: got %v, want %v", c.Text, got, c.IDs)
				}
				tokenizer.Decode(c.IDs)
			}
		})
	}
	group.Wait()
}

func TestOpenWithoutFiles(t *testing.T) {
	_, err := Open(func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	if err == nil || !strings.Contains(err.Error(), "no tokenizer") {
		t.Errorf("got %v", err)
	}
}
