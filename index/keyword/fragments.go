package keyword

import (
	"cmp"
	"html"
	"slices"
	"strings"
	"unicode/utf8"
)

// Mark and Unmark surround a matching word in a fragment.
const (
	Mark   = "<mark>"
	Unmark = "</mark>"
)

func compareMatches(a, b Match) int {
	return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Start, b.Start),
		cmp.Compare(a.End, b.End), cmp.Compare(a.Term, b.Term))
}

// Fragments gives excerpts of the document's values with the matches marked and
// everything else escaped for HTML: one for each value with a match, by field.
// Matches that do not fit the document, since it has changed, are left out.
func (d *Document) Fragments(matches []Match) map[string][]string {
	fragments := map[string][]string{}
	for start := 0; start < len(matches); {
		end := start
		for end < len(matches) && matches[end].Field == matches[start].Field && matches[end].Value == matches[start].Value {
			end++
		}
		values := d.words(matches[start].Field)
		if number := matches[start].Value; number < len(values) {
			if fragment, ok := fragment(values[number], matches[start:end]); ok {
				fragments[matches[start].Field] = append(fragments[matches[start].Field], fragment)
			}
		}
		start = end
	}
	if len(fragments) == 0 {
		return nil
	}
	return fragments
}

// MatchedTerms lists the matched terms, sorted.
func MatchedTerms(matches []Match) []string {
	terms := make([]string, 0, len(matches))
	for _, match := range matches {
		terms = append(terms, match.Term)
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// fragment marks sorted matches in the part of value around the first.
func fragment(value string, matches []Match) (string, bool) {
	from, to := window(value, matches[0])
	var out strings.Builder
	if from > 0 {
		out.WriteString("…")
	}
	at, marked := from, false
	for _, match := range matches {
		if match.Start < at || match.End > to || match.Start >= match.End ||
			!onRune(value, match.Start) || !onRune(value, match.End) {
			continue
		}
		out.WriteString(html.EscapeString(value[at:match.Start]))
		out.WriteString(Mark + html.EscapeString(value[match.Start:match.End]) + Unmark)
		at, marked = match.End, true
	}
	out.WriteString(html.EscapeString(value[at:to]))
	if to < len(value) {
		out.WriteString("…")
	}
	return out.String(), marked
}

// window gives the part of value to show: from a little before the match on,
// at word boundaries where there are any.
func window(value string, match Match) (from, to int) {
	if len(value) <= fragmentLength {
		return 0, len(value)
	}
	from = min(max(0, match.Start-fragmentLength/4), len(value))
	if space := strings.IndexByte(value[from:min(match.Start, len(value))], ' '); from > 0 && space >= 0 && match.Start <= len(value) {
		from += space + 1
	}
	to = min(len(value), max(from+fragmentLength, match.End))
	if space := strings.LastIndexByte(value[:to], ' '); to < len(value) && space > match.End {
		to = space
	}
	for from > 0 && !onRune(value, from) {
		from--
	}
	for to < len(value) && !onRune(value, to) {
		to++
	}
	return from, to
}

func onRune(value string, offset int) bool {
	return offset == len(value) || offset >= 0 && offset < len(value) && utf8.RuneStart(value[offset])
}
