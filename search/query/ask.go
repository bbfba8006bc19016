package query

import (
	"slices"
	"strings"
	"unicode"

	"mekiki/index/filters"
)

// Keyword is a name before a colon that is no filter of the library.
type Keyword struct {
	// Name is what it is called.
	Name string
	// Value says what to write, and Means what that does; both are Markdown.
	Value, Means string
	// Example is the keyword with a value.
	Example string

	// read reads the value, which starts at the parser's place, of the keyword that starts at start.
	read func(p *parser, start int) error
}

// askName asks the pictures found.
const askName = "ask"

// Keywords lists the keywords in the order of the documentation. It is the one place where one is
// declared.
func Keywords() []Keyword {
	return []Keyword{{
		Name: askName, Value: "a question, and after it, if you like, `=` or `!=` with an answer",
		Means:   "the best pictures found are asked. With an answer, those that answer otherwise are left out",
		Example: `ask:"are they asleep?"=yes`, read: (*parser).ask,
	}}
}

// keyword gives the keyword of a name.
func keyword(name string) (Keyword, bool) {
	for _, one := range Keywords() {
		if one.Name == name {
			return one, true
		}
	}
	return Keyword{}, false
}

// Names lists what may stand before a colon: the filters, then the keywords.
func Names() []string {
	names := slices.Clone(filters.Names())
	for _, one := range Keywords() {
		names = append(names, one.Name)
	}
	return names
}

// Ask is a question that the best pictures found are asked.
type Ask struct {
	// Clause is the question.
	Clause
	// Answer is what pictures must answer, or must not where Not is set; "" when any answer
	// will do.
	Answer string
	Not    bool
	// Source is the whole as it was typed.
	Source string
}

// ask reads a question and the answer that it is to have.
func (p *parser) ask(start int) error {
	if p.at == len(p.runes) || unicode.IsSpace(p.runes[p.at]) || isSeparator(p.runes[p.at]) {
		return p.fail(CodeInvalidQuery, start, p.at-start, `write it right after the colon, as in ask:"are they asleep?"`, "the question of ask: is missing")
	}
	question, err := p.askText()
	if err != nil {
		return err
	}
	if question == "" {
		return p.fail(CodeInvalidQuery, start, p.at-start, `put the question in quotes, as in ask:"are they asleep?"=yes`, "the question of ask: is missing")
	}
	asked := Ask{Clause: Clause{Text: question, Offset: start}}
	end := p.at
	p.skipSpace()
	if sign := p.comparison(); sign > 0 {
		asked.Not = sign == 2
		p.at += sign
		p.skipSpace()
		if p.at < len(p.runes) && !isSeparator(p.runes[p.at]) {
			if asked.Answer, err = p.answer(); err != nil {
				return err
			}
		}
		if asked.Answer == "" {
			return p.fail(CodeInvalidQuery, start, p.at-start, `write it right after the sign, as in ask:"are they asleep?"=yes`, "the answer that ask: is to have is missing")
		}
		end = p.at
	}
	p.at = end
	asked.Length, asked.Source = end-start, string(p.runes[start:end])
	if len(p.query.Asks) == p.options.MaximumQuestions {
		return p.fail(CodeTooLarge, start, p.at-start, "each question is put to every picture; ask fewer at a time", "the query has more questions than the limit of %d", p.options.MaximumQuestions)
	}
	p.query.Asks = append(p.query.Asks, asked)
	return p.countWords(question, start)
}

// comparison gives the number of characters of the sign that stands here: 1 for =, 2 for !=, or 0.
func (p *parser) comparison() int {
	rest := p.runes[p.at:]
	switch {
	case len(rest) > 0 && isEquals(rest[0]):
		return 1
	case len(rest) > 1 && (rest[0] == '!' || rest[0] == '！') && isEquals(rest[1]):
		return 2
	}
	return 0
}

func isEquals(r rune) bool { return r == '=' || r == '＝' }

// askText reads a question: a phrase, or what comes before a space or a comparison.
func (p *parser) askText() (string, error) {
	if isQuote(p.runes[p.at]) {
		return p.quoted()
	}
	var b strings.Builder
	for p.at < len(p.runes) && !unicode.IsSpace(p.runes[p.at]) && !isSeparator(p.runes[p.at]) && p.comparison() == 0 {
		b.WriteRune(p.runes[p.at])
		p.at++
	}
	return b.String(), nil
}

// answer reads the answer that a question is to have.
func (p *parser) answer() (string, error) {
	if isQuote(p.runes[p.at]) {
		return p.quoted()
	}
	word, _ := p.word()
	return word, nil
}
