package query

import (
	"slices"
	"strings"
	"time"

	"mekiki/index"
)

// Query is a query that was read.
type Query struct {
	// Source is the text as it was given.
	Source string
	// Clauses are what is wanted, each of which must hold. The words of
	// phrases stand in them too.
	Clauses []Clause
	// Phrases must stand in the record's words, word after word.
	Phrases []Clause
	// Unwanted are what must not hold.
	Unwanted []Clause
	// UnwantedPhrases must not stand in the record's words.
	UnwantedPhrases []Clause
	// Asks are the questions that the pictures found are asked.
	Asks []Ask
	// Filters narrow the library.
	Filters Filters
	// Or says that OR stands among the words, which has no meaning of its own.
	Or bool
	// Warnings are sentences about what may not mean what it seems to.
	Warnings []string
}

// Clause is one thing wanted or unwanted.
type Clause struct {
	// Text is words with single spaces between them; never empty.
	Text string
	// Offset and Length say where it stands, in code points.
	Offset, Length int
}

// Filters are the filters of a query.
type Filters struct {
	index.Filter
	// Source has each filter as it was typed.
	Source []Clause
}

// OrWarning says that OR was read as a plain word.
const OrWarning = "OR is read as a plain word: every clause must hold; ask twice for either of two things"

// WithoutQuotes gives the text of the query with the words of its phrases in place of the phrases.
func (q Query) WithoutQuotes() string {
	runes := []rune(q.Source)
	for _, phrase := range slices.Backward(q.Phrases) {
		runes = slices.Replace(runes, phrase.Offset, min(phrase.Offset+phrase.Length, len(runes)), []rune(Escape(phrase.Text))...)
	}
	return string(runes)
}

// Reworded gives the text of the query with other words for its clauses and for what is unwanted, such as those of another
// language: its phrases, filters and questions follow as they are.
func (q Query) Reworded(clauses, unwanted []string) string {
	var parts []string
	for i, clause := range clauses {
		written := Escape(clause)
		if i < len(clauses)-1 {
			written += ";"
		}
		parts = append(parts, written)
	}
	quoted := func(phrase Clause) string { return `"` + phrase.Text + `"` } // the parser leaves no quote in one
	for _, phrase := range q.Phrases {
		parts = append(parts, quoted(phrase))
	}
	for _, text := range unwanted {
		parts = append(parts, "-("+Escape(text)+")")
	}
	for _, phrase := range q.UnwantedPhrases {
		parts = append(parts, "-"+quoted(phrase))
	}
	for _, filter := range q.Filters.Source {
		parts = append(parts, filter.Text)
	}
	for _, ask := range q.Asks {
		parts = append(parts, ask.Source)
	}
	return strings.Join(parts, " ")
}

// Text gives the wanted words of all clauses, in order.
func (q Query) Text() string { return joinClauses(q.Clauses, " ") }

// Empty reports whether the query asks for nothing at all.
func (q Query) Empty() bool {
	return len(q.Clauses) == 0 && len(q.Unwanted) == 0 && len(q.UnwantedPhrases) == 0 && len(q.Asks) == 0 && len(q.Filters.Source) == 0
}

func joinClauses(clauses []Clause, separator string) string {
	texts := make([]string, len(clauses))
	for i, clause := range clauses {
		texts[i] = clause.Text
	}
	return strings.Join(texts, separator)
}

// Options bound what Parse accepts. The zero value has the defaults.
type Options struct {
	// MaximumCharacters is the longest query in code points; 0 means 4,096.
	MaximumCharacters int
	// MaximumWords is the largest number of words; 0 means 256.
	MaximumWords int
	// MaximumClauses is the largest number of wanted and unwanted clauses and
	// phrases together; 0 means 8.
	MaximumClauses int
	// MaximumFilters is the largest number of filters; 0 means 32.
	MaximumFilters int
	// MaximumQuestions is the largest number of questions; 0 means 4.
	MaximumQuestions int
	// Location is the zone of dates without one; nil means UTC, in which
	// camera dates, which have no zone, are kept.
	Location *time.Location
}

func (o Options) withDefaults() Options {
	set := func(value *int, standard int) {
		if *value <= 0 {
			*value = standard
		}
	}
	set(&o.MaximumCharacters, 4096)
	set(&o.MaximumWords, 256)
	set(&o.MaximumClauses, 8)
	set(&o.MaximumFilters, 32)
	set(&o.MaximumQuestions, 4)
	if o.Location == nil {
		o.Location = time.UTC
	}
	return o
}

// Escape gives a form of text that Parse reads as those plain words.
func Escape(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = escapeWord(word)
	}
	return strings.Join(words, " ")
}

func escapeWord(word string) string {
	var b strings.Builder
	for i, r := range word {
		switch {
		case r == '\\', isSeparator(r), isColon(r), isQuote(r), r == ')', i == 0 && (r == '-' || r == '('):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	if word == "AND" {
		return `\AND`
	}
	return b.String()
}

// Texts gives the texts of clauses.
func Texts(clauses []Clause) []string {
	texts := make([]string, len(clauses))
	for i, clause := range clauses {
		texts[i] = clause.Text
	}
	return texts
}
