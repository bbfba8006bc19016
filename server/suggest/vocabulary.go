package suggest

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"mekiki/index"
	"mekiki/index/filters"
	"mekiki/index/keyword"
)

// Vocabulary is what one state of the library suggests. It never changes.
type Vocabulary struct {
	sequence uint64
	made     time.Time
	took     time.Duration
	captions []entry            // sorted by folded
	phrases  []entry            // two to five words of captions, sorted by folded
	inner    []entry            // the same ones by what follows their first word, sorted by folded
	words    []entry            // words of captions and titles, sorted by folded
	filters  map[string][]entry // values by filter, most frequent first
	spelling spelling
}

// entry is one thing that can be suggested; folded is its text in the form that
// completion compares: without case and accents, as everywhere words are compared.
type entry struct {
	folded, text string
	count        int
}

// making is a vocabulary that is being made.
type making struct {
	captions, words, phrases map[string]*entry
	names                    map[string]*entry // words of files, folders, tags, people and cameras
	pieces                   map[string]int    // how often a phrase went on with another word of the same name
	content                  map[string]bool   // whether a word is more than grammar
}

func newVocabulary(ctx context.Context, reader index.Reader) (*Vocabulary, error) {
	facets, err := reader.Facets(ctx, index.Filter{})
	if err != nil {
		return nil, fmt.Errorf("count facets: %w", err)
	}
	m := &making{
		captions: map[string]*entry{}, words: map[string]*entry{}, phrases: map[string]*entry{}, names: map[string]*entry{},
		pieces: map[string]int{}, content: map[string]bool{},
	}
	for record, err := range reader.All(ctx) {
		if err != nil {
			return nil, err
		}
		if record.Hidden() || record.InTrash() {
			continue
		}
		m.noteNames(record)
		text := cmp.Or(record.Caption(), record.Title())
		if text != "" && len(text) <= longestCaption && len(m.captions) < maxCaptions {
			note(m.captions, text, 1)
		}
	}
	for _, caption := range sorted(m.captions) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.noteCaption(caption)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	made := &Vocabulary{sequence: reader.Sequence(), captions: sorted(m.captions), phrases: m.wholePhrases(), words: mergeForms(sorted(m.words)), filters: map[string][]entry{}}
	for _, phrase := range made.phrases {
		if _, rest, ok := strings.Cut(phrase.folded, " "); ok {
			made.inner = append(made.inner, entry{rest, phrase.text, phrase.count})
		}
	}
	slices.SortStableFunc(made.inner, func(a, b entry) int { return strings.Compare(a.folded, b.folded) })
	for _, field := range completed() {
		made.filters[string(field.Name)] = values(field, facets)
		for _, value := range made.filters[string(field.Name)] {
			m.noteWords(m.names, value.text, value.count)
		}
	}
	made.spelling = newSpelling(m.words, m.names)
	return made, nil
}

// noteNames takes the words of a record's file names.
func (m *making) noteNames(record *index.Record) {
	for _, file := range record.Files {
		name := filepath.Base(cmp.Or(file.Name, file.Path))
		m.noteWords(m.names, strings.TrimSuffix(name, path.Ext(name)), 1)
	}
}

// noteWords takes the words of a name that are letters alone.
func (m *making) noteWords(words map[string]*entry, name string, count int) {
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		if utf8.RuneCountInString(word) >= leastOneWrong {
			note(words, word, count)
		}
	}
}

// noteCaption takes the words and phrases of a caption.
func (m *making) noteCaption(caption entry) {
	for piece := range strings.FieldsFuncSeq(caption.text, func(r rune) bool { return strings.ContainsRune(",.;:!?()\"\n", r) }) {
		words := strings.FieldsFunc(piece, notInWord)
		for i, word := range words {
			if !m.saysSomething(word) {
				continue
			}
			if utf8.RuneCountInString(word) >= shortestWord {
				note(m.words, word, caption.count)
			}
			m.notePhrases(words[i:], caption.count)
		}
	}
}

// notePhrases takes the phrases that begin with the first of some words.
func (m *making) notePhrases(words []string, count int) {
	content := 1
	for end := 2; end <= min(longestPhrase, len(words)); end++ {
		if !m.saysSomething(words[end-1]) {
			continue
		}
		if content++; content > mostContent {
			return
		}
		text := strings.Join(words[:end], " ")
		if len(m.phrases) >= maxPhrases && m.phrases[keyword.Fold(text)] == nil {
			continue
		}
		note(m.phrases, text, count)
		if end < len(words) && m.saysSomething(words[end]) && !strings.HasSuffix(words[end], "ing") {
			m.pieces[keyword.Fold(text)] += count
		}
	}
}

// wholePhrases gives the phrases that are no pieces of longer names.
func (m *making) wholePhrases() []entry {
	return slices.DeleteFunc(sorted(m.phrases), func(phrase entry) bool {
		return float64(m.pieces[phrase.folded]) >= pieceShare*float64(phrase.count)
	})
}

// saysSomething reports whether a word is more than grammar, so that a phrase may begin or end with it.
func (m *making) saysSomething(word string) bool {
	folded := keyword.Fold(word)
	says, known := m.content[folded]
	if !known {
		says = !connects(folded) && len(keyword.Terms(word)) > 0
		m.content[folded] = says
	}
	return says
}

// connects reports whether a word, though it is no stop word of the keyword index, stands between things in captions.
func connects(word string) bool {
	return slices.Contains(strings.Fields("above across along around behind beside besides inside near next onto outside toward towards underneath upon without"), word)
}

func notInWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '\'' && r != '-'
}

func note(entries map[string]*entry, text string, count int) {
	folded := keyword.Fold(text)
	if found := entries[folded]; found != nil {
		found.count += count
		return
	}
	entries[folded] = &entry{folded, text, count}
}

func sorted(entries map[string]*entry) []entry {
	list := make([]entry, 0, len(entries))
	for _, each := range entries {
		list = append(list, *each)
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.folded, b.folded) })
	return list
}

// mergeForms gives every form of a word the count of all, so that "cat" and "cats" stand where they belong together.
func mergeForms(words []entry) []entry {
	counts := map[string]int{}
	stem := func(word entry) string { return strings.Join(keyword.Terms(word.text), " ") }
	for _, word := range words {
		counts[stem(word)] += word.count
	}
	for i := range words {
		words[i].count = counts[stem(words[i])]
	}
	return words
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
