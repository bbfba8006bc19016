package charsmap

import (
	"encoding/binary"
	"fmt"
	"testing"
	"unicode/utf8"
)

// table returns a table with one rule: "a" followed by an acute accent, and
// "a" alone where single is set, become "á" and "A".
func table(single bool) []byte {
	// A double array in which the state of the root has its children at offset 0x100.
	units := make([]uint32, 1<<10)
	set := func(at uint32, offset uint32, label byte, leaf bool) {
		units[at] = offset<<10 | uint32(label)
		if leaf {
			units[at] |= 1 << 8
		}
	}
	units[0] = 0x100 << 10
	at := uint32(0x100) ^ 'a'
	set(at, at^0x200, 'a', single)
	units[0x200] = 1 << 31 // the value of "a": place 0
	next := uint32(0x200) ^ 0xCC
	set(next, next^0x300, 0xCC, false)
	last := uint32(0x300) ^ 0x81
	set(last, last^0x3FF, 0x81, true)
	units[0x3FF] = 1<<31 | 2 // of both: place 2
	data := binary.LittleEndian.AppendUint32(nil, uint32(4*len(units)))
	for _, unit := range units {
		data = binary.LittleEndian.AppendUint32(data, unit)
	}
	return append(data, "A\x00á\x00"...)
}

func ExampleMap_Apply() {
	m, err := New(table(false))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+q\n", m.Apply("ba\u0301b a"))
	// Output: "b\u00e1b a"
}

// TestShortestRule: of several rules, that of the shortest beginning replaces the
// whole cluster, as in the tokenizers library.
func TestShortestRule(t *testing.T) {
	m, err := New(table(true))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"a":                   "A",
		"a\u0301":             "A",
		"a\u0301\u0302b":      "Ab",
		"a\u0301\u0302\u0303": "A\u0301\u0302\u0303", // seven bytes: each character by itself
		"xyz":                 "xyz",
		"":                    "",
	} {
		if got := m.Apply(text); got != want {
			t.Errorf("%+q: got %+q, want %+q", text, got, want)
		}
	}
}

func TestBadTables(t *testing.T) {
	for name, data := range map[string][]byte{
		"empty":     {},
		"cut off":   {1, 2, 3},
		"no array":  {0, 0, 0, 0, 'a'},
		"too long":  {8, 0, 0, 0, 1, 2, 3, 4},
		"no UTF-8":  {4, 0, 0, 0, 1, 2, 3, 4, 0xFF},
		"odd array": {3, 0, 0, 0, 1, 2, 3},
		"too large": make([]byte, maximumBytes+1),
	} {
		if _, err := New(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzMap(f *testing.F) {
	f.Add(table(true), "a\u0301b")
	f.Add([]byte{4, 0, 0, 0, 0, 5, 0, 0, 'a', 0}, "\x00a")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		m, err := New(data)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		for _, got := range []string{m.Apply(text), m.ApplyLongest(text)} {
			if !utf8.ValidString(got) {
				t.Errorf("%q: got %q", text, got)
			}
		}
	})
}
