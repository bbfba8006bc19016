package trie

import (
	"fmt"
	"strings"
	"testing"
)

func Example() {
	t := New(0)
	for value, text := range []string{"a", "ab", "abcd", "b"} {
		t.Insert(text, int32(value))
	}
	value, length := t.Longest("abc")
	fmt.Println(value, length, t.Find("abcd"), t.Find("abc"))
	// Output: 1 2 2 -1
}

// FuzzTrie compares a trie with a map.
func FuzzTrie(f *testing.F) {
	f.Add("a ab abc b bc a", "abcd")
	f.Add(strings.Repeat("x", 300)+" xx", "xxx")
	f.Fuzz(func(t *testing.T, list, text string) {
		tree, want := New(0), map[string]int32{}
		for i, word := range strings.Split(list, " ") {
			if word != "" {
				tree.Insert(word, int32(i))
				want[word] = int32(i)
			}
		}
		for word, value := range want {
			if got := tree.Find(word); got != value {
				t.Errorf("%q: got %d, want %d", word, got, value)
			}
		}
		best, size := int32(None), 0
		for end := 1; end <= len(text); end++ {
			if value, ok := want[text[:end]]; ok {
				best, size = value, end
			}
		}
		if value, length := tree.Longest(text); value != best || length != size {
			t.Errorf("%q: got %d, %d, want %d, %d", text, value, length, best, size)
		}
	})
}
