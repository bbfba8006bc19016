package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Parse reads a query. Its errors are *Error. An empty text is an empty query
// and no error.
func Parse(text string, options Options) (Query, error) {
	p := &parser{source: text, options: options.withDefaults(), query: Query{Source: text}}
	if err := p.check(); err != nil {
		return Query{}, err
	}
	p.runes = []rune(text)
	if err := p.run(); err != nil {
		return Query{}, err
	}
	if err := p.query.Filters.check(p); err != nil {
		return Query{}, err
	}
	return p.query, nil
}

// parser walks the text once, token by token.
type parser struct {
	source  string
	runes   []rune
	at      int
	options Options
	query   Query

	words   int
	clauses int
	// pending are the words of the clause that is being read.
	pending      []string
	pendingStart int
	pendingEnd   int
}

func (p *parser) fail(code Code, offset, length int, remedy, format string, arguments ...any) *Error {
	return &Error{
		Code: code, Message: fmt.Sprintf(format, arguments...), Remedy: remedy,
		Query: p.source, Offset: offset, Length: max(length, 1),
	}
}

// check refuses what is too long or has characters that no query has.
func (p *parser) check() error {
	if count := utf8.RuneCountInString(p.source); count > p.options.MaximumCharacters {
		whole := p.source
		p.source = string([]rune(whole[:min(len(whole), 4*p.options.MaximumCharacters)]))
		words := len(strings.Fields(whole))
		return p.fail(CodeTooLarge, p.options.MaximumCharacters, 1, "shorten the query; the model reads some 30 words of it at most",
			"the query has %d words in %d characters, more than the limit of %d characters", words, count, p.options.MaximumCharacters)
	}
	offset := 0
	for _, r := range p.source {
		if isForbidden(r) {
			what := fmt.Sprintf("the control character U+%04X", r)
			if r == utf8.RuneError {
				what = "bytes that are not UTF-8, or a replacement character"
			}
			return p.fail(CodeControlCharacter, offset, 1, "remove it", "the query contains %s", what)
		}
		offset++
	}
	return nil
}

func (p *parser) run() error {
	for {
		p.skipSpace()
		if p.at == len(p.runes) {
			return p.endClause()
		}
		if err := p.token(); err != nil {
			return err
		}
	}
}

// token reads one token that starts here.
func (p *parser) token() error {
	start := p.at
	switch r := p.runes[p.at]; {
	case isSeparator(r):
		p.at++
		return p.endClause()
	case isQuote(r):
		phrase, err := p.quoted()
		if err != nil {
			return err
		}
		return p.addPhrase(phrase, start)
	case r == '-' && p.startsUnwanted():
		p.at++
		return p.unwanted(start)
	}
	if name, ok := p.filterName(); ok {
		return p.filter(name, start)
	}
	word, plain := p.word()
	if plain && word == "AND" && p.at < len(p.runes) && len(p.pending) > 0 {
		return p.endClause()
	}
	if plain && word == "OR" {
		p.query.Or = true
		p.query.Warnings = append(p.query.Warnings, OrWarning)
	}
	return p.addWord(word, start)
}

// startsUnwanted reports whether the dash here makes the next thing unwanted:
// a dash that stands before a space, another dash or the end is just a dash.
func (p *parser) startsUnwanted() bool {
	if p.at+1 >= len(p.runes) {
		return false
	}
	next := p.runes[p.at+1]
	return !unicode.IsSpace(next) && next != '-' && !isSeparator(next)
}

func (p *parser) unwanted(start int) error {
	switch r := p.runes[p.at]; {
	case isQuote(r):
		phrase, err := p.quoted()
		if err != nil {
			return err
		}
		return p.addTo(&p.query.UnwantedPhrases, phrase, start)
	case r == '(':
		clause, err := p.parenthesized()
		if err != nil {
			return err
		}
		return p.addTo(&p.query.Unwanted, clause, start)
	}
	if name, ok := p.filterName(); ok {
		if name == askName {
			return p.fail(CodeInvalidQuery, start, len(name)+2, `write !=, as in ask:"are they asleep?"!=yes`, "a question cannot be unwanted")
		}
		return p.fail(CodeInvalidQuery, start, len(name)+2, "filter for what is wanted instead, or leave it out",
			"the filter %s: cannot be unwanted", name)
	}
	word, _ := p.word()
	return p.addTo(&p.query.Unwanted, word, start)
}

// skipSpace moves to the next character that is no space.
func (p *parser) skipSpace() {
	for p.at < len(p.runes) && unicode.IsSpace(p.runes[p.at]) {
		p.at++
	}
}

// word reads to the next space or separator. plain says that nothing in it was
// escaped.
func (p *parser) word() (word string, plain bool) {
	var b strings.Builder
	plain = true
	for p.at < len(p.runes) {
		r := p.runes[p.at]
		if unicode.IsSpace(r) || isSeparator(r) {
			break
		}
		p.at++
		if r == '\\' && p.at < len(p.runes) && !unicode.IsSpace(p.runes[p.at]) {
			plain = false
			r = p.runes[p.at]
			p.at++
		}
		b.WriteRune(r)
	}
	return b.String(), plain
}

// quoted reads from an opening quote through the closing one.
func (p *parser) quoted() (string, error) {
	start := p.at
	var b strings.Builder
	for p.at++; p.at < len(p.runes); p.at++ {
		r := p.runes[p.at]
		if isQuote(r) {
			p.at++
			text := strings.Join(strings.Fields(b.String()), " ")
			if text == "" {
				return "", p.fail(CodeInvalidQuery, start, p.at-start, "put words between the quotes, or leave them out", "there is nothing between these quotes")
			}
			return text, nil
		}
		if r == '\\' && p.at+1 < len(p.runes) && (isQuote(p.runes[p.at+1]) || p.runes[p.at+1] == '\\') {
			p.at++
			r = p.runes[p.at]
		}
		b.WriteRune(r)
	}
	return "", p.fail(CodeUnbalancedQuote, start, 1, `close it, or write \" for a quote that is part of a word`, "this quote is never closed")
}

// parenthesized reads from an opening parenthesis through its closing one.
func (p *parser) parenthesized() (string, error) {
	start, depth := p.at, 0
	var b strings.Builder
	for ; p.at < len(p.runes); p.at++ {
		r := p.runes[p.at]
		switch {
		case r == '\\' && p.at+1 < len(p.runes):
			p.at++
			r = p.runes[p.at]
		case r == '(':
			depth++
			if depth == 1 {
				continue
			}
		case r == ')':
			depth--
		}
		if depth == 0 {
			p.at++
			text := strings.Join(strings.Fields(b.String()), " ")
			if text == "" {
				return "", p.fail(CodeInvalidQuery, start, p.at-start, "put words between the parentheses, or leave them out", "there is nothing between these parentheses")
			}
			return text, nil
		}
		b.WriteRune(r)
	}
	return "", p.fail(CodeUnbalancedParenthesis, start, 1, `close it, or write -\( for a parenthesis that is part of a word`, "this parenthesis is never closed")
}

func (p *parser) addWord(word string, start int) error {
	if err := p.countWords(word, start); err != nil {
		return err
	}
	if len(p.pending) == 0 {
		p.pendingStart = start
	}
	p.pending = append(p.pending, word)
	p.pendingEnd = p.at
	return nil
}

// addPhrase adds a phrase, whose words stand in the clause around it too.
func (p *parser) addPhrase(phrase string, start int) error {
	if err := p.countClause(start, p.at); err != nil {
		return err
	}
	p.query.Phrases = append(p.query.Phrases, Clause{Text: phrase, Offset: start, Length: p.at - start})
	return p.addWord(phrase, start)
}

// addTo adds a clause of its own to a list.
func (p *parser) addTo(list *[]Clause, text string, start int) error {
	if err := p.countClause(start, p.at); err != nil {
		return err
	}
	*list = append(*list, Clause{Text: text, Offset: start, Length: p.at - start})
	return p.countWords(text, start)
}

// endClause ends the clause that is being read, if there is one.
func (p *parser) endClause() error {
	if len(p.pending) == 0 {
		return nil
	}
	if err := p.countClause(p.pendingStart, p.pendingEnd); err != nil {
		return err
	}
	clause := Clause{Text: strings.Join(p.pending, " "), Offset: p.pendingStart, Length: p.pendingEnd - p.pendingStart}
	p.query.Clauses = append(p.query.Clauses, clause)
	p.pending = nil
	return nil
}

func (p *parser) countWords(text string, start int) error {
	p.words += len(strings.Fields(text))
	if p.words > p.options.MaximumWords {
		return p.fail(CodeTooLarge, start, p.at-start, "shorten the query; the model reads some 30 words of it at most",
			"the query has more words than the limit of %d", p.options.MaximumWords)
	}
	return nil
}

func (p *parser) countClause(start, end int) error {
	p.clauses++
	if p.clauses > p.options.MaximumClauses {
		return p.fail(CodeTooLarge, start, end-start, "each clause is checked against every picture; ask for fewer at a time",
			"the query has more clauses, phrases and unwanted parts than the limit of %d", p.options.MaximumClauses)
	}
	return nil
}
