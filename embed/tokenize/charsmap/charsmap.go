// Package charsmap normalises texts by the table that a SentencePiece model
// carries, for T5's the rules nmt_nfkc: compatibility characters become plain
// ones, control characters go, all spaces become one kind.
//
//	ﬁne ① ｶﾞ\t   fine 1 ガ␣
//
// The table is a double array (Aoe, 1989; as darts-clone writes it) whose values
// are places in a list of replacements. The tokenizers library, which this package
// is equal to, applies it to grapheme clusters and so differs from SentencePiece
// for a few rare ones.
package charsmap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Map replaces characters. It is immutable and safe for concurrent use.
type Map struct {
	units        []uint32
	replacements string
	longest      int
	plain        [utf8.RuneSelf]bool // ASCII characters that no rule begins with
}

// New reads a table: the size of the double array in bytes, as 32 bits in little
// endian, the double array, the replacements, each with a NUL after it.
func New(data []byte) (*Map, error) {
	if len(data) > maximumBytes {
		return nil, fmt.Errorf("a table of %d bytes is more than the %d allowed", len(data), maximumBytes)
	}
	if len(data) < 4 {
		return nil, errors.New("the table is cut off")
	}
	size := int(binary.LittleEndian.Uint32(data))
	data = data[4:]
	if size%4 != 0 || size == 0 || size > len(data) {
		return nil, fmt.Errorf("the table has a double array of %d bytes, of %d in all", size, len(data))
	}
	m := &Map{units: make([]uint32, size/4), replacements: string(data[size:])}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	if !utf8.ValidString(m.replacements) {
		return nil, errors.New("the table's replacements are not UTF-8")
	}
	for text := range strings.SplitSeq(m.replacements, "\x00") {
		m.longest = max(m.longest, len(text))
	}
	for b := range m.plain {
		_, found := m.step(0, byte(b), true)
		m.plain[b] = !found && b != '\r' // which may be one cluster with a newline
	}
	return m, nil
}

// The parts of a double array's unit.
func leaf(unit uint32) bool     { return unit>>8&1 == 1 }
func value(unit uint32) uint32  { return unit & (1<<31 - 1) }
func label(unit uint32) uint32  { return unit & (1<<31 | 0xFF) }
func offset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }

// step goes from a node over a byte: from the root where first is set.
func (m *Map) step(node uint32, b byte, first bool) (next uint32, found bool) {
	if first {
		node = offset(m.units[0])
	}
	if b == 0 {
		return 0, false
	}
	node ^= uint32(b)
	if int(node) >= len(m.units) || label(m.units[node]) != uint32(b) {
		return 0, false
	}
	return node, true
}

// rule returns the replacement of the shortest string with a rule that a text
// begins with.
func (m *Map) rule(text string) (string, bool) {
	node := uint32(0)
	for i := range len(text) {
		next, found := m.step(node, text[i], i == 0)
		if !found {
			return "", false
		}
		unit := m.units[next]
		if node = next ^ offset(unit); leaf(unit) && int(node) < len(m.units) {
			return m.replacement(value(m.units[node])), true
		}
	}
	return "", false
}

// replacement returns the replacement at a place of the list.
func (m *Map) replacement(at uint32) string {
	if int(at) >= len(m.replacements) {
		return ""
	}
	text, _, _ := strings.Cut(m.replacements[at:], "\x00")
	return strings.ToValidUTF8(text, "")
}

// Longest returns the bytes of the longest replacement.
func (m *Map) Longest() int { return m.longest }

// Apply returns a text, which is UTF-8, with all characters replaced that have a
// rule. A grapheme cluster of up to five bytes whose beginning has one is replaced
// as a whole.
func (m *Map) Apply(text string) string {
	if end := m.plainRun(text); end == len(text) {
		return text
	}
	var out strings.Builder
	out.Grow(len(text) + len(text)/8)
	for text != "" {
		end := m.plainRun(text)
		out.WriteString(text[:end])
		if text = text[end:]; text == "" {
			break
		}
		cluster := firstCluster(text)
		m.appendCluster(&out, cluster)
		text = text[len(cluster):]
	}
	return out.String()
}

// plainRun returns the length of the ASCII characters without rules that a text
// begins with, but for the last before others, which may be one cluster with them.
func (m *Map) plainRun(text string) int {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return max(i-1, 0)
		}
		if !m.plain[text[i]] {
			return i
		}
	}
	return len(text)
}

// firstCluster returns the grapheme cluster that a text begins with.
func firstCluster(text string) string {
	clusters := graphemes.FromString(text)
	if !clusters.Next() {
		return text
	}
	return clusters.Value()
}

func (m *Map) appendCluster(out *strings.Builder, cluster string) {
	if len(cluster) < largestCluster {
		if replacement, ok := m.rule(cluster); ok {
			out.WriteString(replacement)
			return
		}
	}
	for cluster != "" {
		_, size := utf8.DecodeRuneInString(cluster)
		if replacement, ok := m.rule(cluster[:size]); ok {
			out.WriteString(replacement)
		} else {
			out.WriteString(cluster[:size])
		}
		cluster = cluster[size:]
	}
}

// ApplyLongest returns a text, which is UTF-8, with the longest string that has a rule replaced at each place: as
// SentencePiece itself does it.
func (m *Map) ApplyLongest(text string) string {
	var out strings.Builder
	out.Grow(len(text) + len(text)/8)
	for text != "" {
		replacement, length := m.longestRule(text)
		if length == 0 {
			_, length = utf8.DecodeRuneInString(text)
			replacement = text[:length]
		}
		out.WriteString(replacement)
		text = text[length:]
	}
	return out.String()
}

// longestRule returns the replacement of the longest string with a rule that a text begins with, and that string's length:
// 0 where there is none.
func (m *Map) longestRule(text string) (replacement string, length int) {
	node := uint32(0)
	for i := range len(text) {
		next, found := m.step(node, text[i], i == 0)
		if !found {
			break
		}
		unit := m.units[next]
		if node = next ^ offset(unit); leaf(unit) && int(node) < len(m.units) {
			replacement, length = m.replacement(value(m.units[node])), i+1
		}
	}
	return replacement, length
}
