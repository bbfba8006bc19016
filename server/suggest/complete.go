package suggest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"mekiki/index/filters"
	"mekiki/index/keyword"
	"mekiki/search/query"
)

// completion collects what a query may go on with, each meaning once.
type completion struct {
	list  []Suggestion
	limit int
	seen  map[string]bool
}

// add takes a whole query.
func (c *completion) add(whole, source string, count int) {
	folded := keyword.Fold(whole)
	terms := strings.Join(keyword.Terms(whole), " ") // "a cat" and "the cats" are one suggestion
	if len(c.list) >= c.limit || c.seen[folded] || terms != "" && c.seen["\x00"+terms] {
		return
	}
	c.seen[folded], c.seen["\x00"+terms] = true, true
	c.list = append(c.list, Suggestion{whole, source, count})
}

// Complete gives at most limit ways to go on from a query's text: values of a filter that
// is being typed, words and phrases of captions and whole captions, the last word, and
// filters by their name.
func (s *Vocabulary) Complete(text string, limit int) []Suggestion {
	head, last := splitLast(text)
	if name, value, typed := strings.Cut(last, ":"); typed {
		return s.completeFilter(head, keyword.Fold(name), value, limit)
	}
	if strings.Contains(last, `"`) {
		return []Suggestion{} // who quotes knows the words
	}
	c := &completion{list: []Suggestion{}, limit: limit, seen: map[string]bool{keyword.Fold(text): true}}
	if strings.TrimSpace(text) == "" {
		first := completed()[0]
		for _, value := range s.filters[string(first.Name)] {
			c.add(string(first.Name)+":"+quoted(value.text), first.Parameter, value.count)
		}
		return c.list
	}
	before, core := splitClause(text)
	typed := keyword.Fold(core)
	if last == "" && typed != "" {
		typed += " " // the word before is complete
	}
	s.completePhrase(c, before, typed)
	if last == "" {
		return c.list
	}
	s.completeLast(c, head, keyword.Fold(last))
	return c.list
}

// completePhrase completes what was typed since the last sign, with a share of the limit for each kind.
func (s *Vocabulary) completePhrase(c *completion, before, typed string) {
	if typed == "" {
		return
	}
	found := prefixed(s.phrases, typed, c.limit)
	inner := []entry{}
	if !strings.Contains(typed, " ") {
		found = most(append(found, prefixed(s.words, typed, c.limit)...), c.limit)
		inner = prefixed(s.inner, typed, max(1, c.limit/4))
	}
	kept := c.limit
	c.limit = max(1, c.limit/2+1)
	for _, each := range found {
		c.add(before+each.text, "word", each.count)
	}
	c.limit = kept
	for _, each := range inner {
		c.add(before+each.text, "word", each.count)
	}
	for _, each := range prefixed(s.captions, typed, max(1, c.limit/4)) {
		c.add(before+each.text, "caption", each.count)
	}
}

// completeLast completes the last word: where the library has no such phrase, with any word, and with values of filters
// and their names.
func (s *Vocabulary) completeLast(c *completion, head, last string) {
	if len(c.list) < fewFound && len(keyword.Terms(last)) > 0 {
		many := endsWithNumber(head)
		for _, found := range prefixed(s.words, last, c.limit) {
			text := found.text
			if many {
				text = s.plural(found)
			}
			c.add(head+text, "word", 0) // nobody knows how many have both
		}
	}
	for _, field := range completed() {
		for _, value := range prefixedValues(s.filters[string(field.Name)], last, 2) {
			c.add(head+string(field.Name)+":"+quoted(value.text), field.Parameter, value.count)
		}
	}
	if utf8.RuneCountInString(last) < 2 {
		return
	}
	for _, name := range slices.Sorted(slices.Values(query.Names())) {
		if strings.HasPrefix(name, last) {
			c.add(head+name+":", "filter", 0)
		}
	}
}

// endsWithNumber reports whether a text ends with a number above one.
func endsWithNumber(text string) bool {
	words := strings.Fields(keyword.Fold(text))
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	number, err := strconv.Atoi(last)
	return err == nil && number > 1 || slices.Contains(strings.Fields("two three four five six seven eight nine ten many several"), last)
}

// plural gives the English plural of a word: the library's own, or by the rule.
func (s *Vocabulary) plural(word entry) string {
	terms := keyword.Terms(word.text)
	for _, other := range prefixed(s.words, word.folded, maxScanned) {
		if len(other.folded) > len(word.folded) && strings.HasSuffix(other.folded, "s") && slices.Equal(keyword.Terms(other.text), terms) {
			return other.text
		}
	}
	folded := word.folded
	switch consonantY := strings.HasSuffix(folded, "y") && len(folded) > 1 && !strings.ContainsRune("aeiou", rune(folded[len(folded)-2])); {
	case strings.HasSuffix(folded, "s") && len(terms) == 1 && terms[0] != folded, strings.IndexFunc(folded, func(r rune) bool { return r < 'a' || r > 'z' }) >= 0:
		return word.text // a plural, or no English word
	case consonantY:
		return word.text[:len(word.text)-1] + "ies"
	case strings.HasSuffix(folded, "s"), strings.HasSuffix(folded, "x"), strings.HasSuffix(folded, "ch"), strings.HasSuffix(folded, "sh"):
		return word.text + "es"
	}
	return word.text + "s"
}

func (s *Vocabulary) completeFilter(head, name, value string, limit int) []Suggestion {
	list := []Suggestion{}
	field, _ := filters.Named(name)
	value = keyword.Fold(strings.Trim(value, `"`))
	for _, found := range prefixedValues(s.filters[name], value, limit) {
		list = append(list, Suggestion{head + name + ":" + quoted(found.text), field.Parameter, found.count})
	}
	return list
}

// splitLast parts a query before the word that is being typed. A quote that is
// still open, as in tag:"new y, keeps its words together.
func splitLast(query string) (head, last string) {
	open, start := false, 0
	for i, r := range query {
		switch {
		case r == '"':
			open = !open
		case unicode.IsSpace(r) && !open:
			start = i + len(string(r))
		}
	}
	return query[:start], query[start:]
}

// splitClause parts a query before the phrase that is being typed: after the last filter, quotes, unwanted word or sign,
// and after an article, which phrases lack.
func splitClause(text string) (before, phrase string) {
	start := 0
	for at := 0; at < len(text); {
		rest := text[at:]
		end := strings.IndexFunc(rest, unicode.IsSpace)
		if end < 0 {
			end = len(rest)
		}
		token := rest[:end]
		next := at + end
		for next < len(text) && unicode.IsSpace(rune(text[next])) {
			next++
		}
		if next == at { // a space of several bytes
			_, size := utf8.DecodeRuneInString(rest)
			next += size
		}
		switch folded := keyword.Fold(token); {
		case strings.ContainsAny(token, `:";,`), strings.HasPrefix(token, "-"), folded == "and":
			start = next
		case start == at && (folded == "a" || folded == "an" || folded == "the") && next < len(text):
			start = next
		}
		at = next
	}
	return text[:start], text[start:]
}

func quoted(text string) string {
	if strings.ContainsFunc(text, unicode.IsSpace) {
		return `"` + strings.ReplaceAll(text, `"`, "") + `"`
	}
	return text
}

// prefixed gives the most frequent of a sorted list's entries that begin with
// prefix.
func prefixed(list []entry, prefix string, limit int) []entry {
	start, _ := slices.BinarySearchFunc(list, prefix, func(e entry, prefix string) int { return strings.Compare(e.folded, prefix) })
	end := start
	for end < len(list) && end-start < maxScanned && strings.HasPrefix(list[end].folded, prefix) {
		end++
	}
	return most(slices.Clone(list[start:end]), limit)
}

// prefixedValues does the same for a list in any order.
func prefixedValues(list []entry, prefix string, limit int) []entry {
	var found []entry
	for _, each := range list {
		if strings.HasPrefix(each.folded, prefix) {
			found = append(found, each)
		}
		if len(found) == maxScanned {
			break
		}
	}
	return most(found, limit)
}

func most(found []entry, limit int) []entry {
	slices.SortStableFunc(found, func(a, b entry) int { return cmp.Compare(b.count, a.count) })
	return found[:min(limit, len(found))]
}
