// Package suggest completes queries with what a library holds: captions and their words, values of filters, filters.
package suggest

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/keyword"
	"mekiki/search/query"
)

const (
	// maxCaptions bounds the captions that are remembered for
	// suggestions, and so their memory.
	maxCaptions = 200_000
	// longestPhrase is the number of words of the longest phrase suggested.
	longestPhrase = 3
	// maxScanned bounds what one request looks at.
	maxScanned = 5_000
)

// Suggestion completes a query.
type Suggestion struct {
	Text   string `json:"text"`
	Source string `json:"source"`
	Count  int    `json:"count,omitempty"`
}

// entry is one thing that can be suggested; folded is its text in the form that
// completion compares: without case and accents, as everywhere words are compared.
type entry struct {
	folded, text string
	count        int
}

// Vocabulary is what one state of the library suggests. It never changes.
type Vocabulary struct {
	sequence uint64
	made     time.Time
	took     time.Duration
	captions []entry            // sorted by folded
	phrases  []entry            // two or three words of captions, sorted by folded
	words    []entry            // words of captions, sorted by folded
	filters  map[string][]entry // values by filter, most frequent first
}

// Suggester keeps what the library suggests. Safe for concurrent use.
type Suggester struct {
	making  sync.Mutex
	present atomic.Pointer[Vocabulary]
}

// Making what a large library suggests takes long (a million captions 3.5 s), and
// while it is indexed there is a new state every second. What took quickMaking or
// longer is therefore made again only after keptMakings times as long.
const (
	quickMaking = 250 * time.Millisecond
	keptMakings = 20
)

// For gives what a snapshot suggests; of a large library, perhaps what it suggested a
// little before.
func (s *Suggester) For(ctx context.Context, reader index.Reader) (*Vocabulary, error) {
	known := s.present.Load()
	if known != nil && known.serves(reader.Sequence(), time.Now()) {
		return known, nil
	}
	if known == nil || known.took < quickMaking {
		s.making.Lock()
	} else if !s.making.TryLock() {
		return known, nil // somebody is making it
	}
	defer s.making.Unlock()
	if known = s.present.Load(); known != nil && known.serves(reader.Sequence(), time.Now()) {
		return known, nil // somebody has made it meanwhile
	}
	started := time.Now()
	made, err := newVocabulary(ctx, reader)
	if err != nil {
		return nil, err
	}
	made.made = time.Now()
	made.took = made.made.Sub(started)
	s.present.Store(made)
	return made, nil
}

// serves reports whether what is known may be used for a state at a time.
func (s *Vocabulary) serves(sequence uint64, now time.Time) bool {
	return s.sequence == sequence || s.took >= quickMaking && now.Sub(s.made) < keptMakings*s.took
}

func newVocabulary(ctx context.Context, reader index.Reader) (*Vocabulary, error) {
	facets, err := reader.Facets(ctx, index.Filter{})
	if err != nil {
		return nil, fmt.Errorf("count facets: %w", err)
	}
	captions, phrases, words := map[string]*entry{}, map[string]*entry{}, map[string]*entry{}
	for record, err := range reader.All(ctx) {
		if err != nil {
			return nil, err
		}
		if len(captions) >= maxCaptions {
			break
		}
		text := cmp.Or(record.Caption(), record.Title())
		if text == "" || len(text) > 200 {
			continue
		}
		note(captions, text)
		all := strings.FieldsFunc(text, notInWord)
		for i, word := range all {
			if len(word) > 2 {
				note(words, word)
			}
			for end := i + 2; end <= min(i+longestPhrase, len(all)) && len(phrases) < maxCaptions; end++ {
				if len(all[end-1]) > 2 {
					note(phrases, strings.Join(all[i:end], " "))
				}
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	made := &Vocabulary{sequence: reader.Sequence(), captions: sorted(captions), phrases: sorted(phrases), words: sorted(words), filters: map[string][]entry{}}
	for _, field := range completed() {
		made.filters[string(field.Name)] = values(field, facets)
	}
	return made, nil
}

func notInWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '-'
}

func note(entries map[string]*entry, text string) {
	folded := keyword.Fold(text)
	if found := entries[folded]; found != nil {
		found.count++
		return
	}
	entries[folded] = &entry{folded, text, 1}
}

func sorted(entries map[string]*entry) []entry {
	list := make([]entry, 0, len(entries))
	for _, each := range entries {
		list = append(list, *each)
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.folded, b.folded) })
	return list
}

// completed lists the filters whose values are suggested, the first first.
func completed() []filters.Field {
	fields := slices.DeleteFunc(filters.Fields(), func(field filters.Field) bool { return field.Completion == 0 })
	slices.SortFunc(fields, func(a, b filters.Field) int { return cmp.Compare(a.Completion, b.Completion) })
	return fields
}

// values are those of a filter. Folders are suggested by their last name too, which is
// what people type.
func values(field filters.Field, facets index.Facets) []entry {
	var list, names []entry
	for _, count := range field.Counts(facets) {
		list = append(list, entry{keyword.Fold(count.Value), count.Value, count.Count})
		if field.Name != filters.Folder {
			continue
		}
		if name := filepath.Base(count.Value); name != count.Value && name != "." {
			names = append(names, entry{keyword.Fold(name), name, count.Count})
		}
	}
	return append(list, names...)
}

// Complete gives at most limit ways to go on from a query's text: values of a filter that
// is being typed, phrases of captions and whole captions, the last word, and
// filters by their name.
func (s *Vocabulary) Complete(text string, limit int) []Suggestion {
	head, last := splitLast(text)
	if name, value, typed := strings.Cut(last, ":"); typed {
		return s.completeFilter(head, keyword.Fold(name), value, limit)
	}
	list := []Suggestion{}
	seen := map[string]bool{keyword.Fold(text): true}
	add := func(whole, source string, count int) {
		if folded := keyword.Fold(whole); !seen[folded] && len(list) < limit {
			seen[folded] = true
			list = append(list, Suggestion{whole, source, count})
		}
	}
	if strings.TrimSpace(text) == "" {
		first := completed()[0]
		for _, value := range s.filters[string(first.Name)] {
			add(string(first.Name)+":"+quoted(value.text), first.Parameter, value.count)
		}
		return list
	}
	typed := keyword.Fold(text)
	if last == "" {
		typed += " " // the word before is complete
	}
	for _, found := range prefixed(s.phrases, typed, max(1, limit/2)) {
		add(found.text, "word", found.count)
	}
	for _, found := range prefixed(s.captions, typed, max(1, limit/4)) {
		add(found.text, "caption", found.count)
	}
	if last != "" {
		for _, found := range prefixed(s.words, keyword.Fold(last), limit) {
			add(head+found.text, "word", found.count)
		}
		for _, field := range completed() {
			for _, value := range prefixedValues(s.filters[string(field.Name)], keyword.Fold(last), 2) {
				add(head+string(field.Name)+":"+quoted(value.text), field.Parameter, value.count)
			}
		}
		for _, name := range slices.Sorted(slices.Values(query.Names())) {
			if strings.HasPrefix(name, keyword.Fold(last)) {
				add(head+name+":", "filter", 0)
			}
		}
	}
	return list
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
