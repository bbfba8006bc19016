package query

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"mekiki/index/filters"
	"mekiki/internal/nearname"
)

// filterName reports the name of the filter that starts here: letters, a colon
// and something that is no space. It does not move.
func (p *parser) filterName() (string, bool) {
	end := p.at
	for end < len(p.runes) && (unicode.IsLetter(p.runes[end]) && p.runes[end] < 0x80 || p.runes[end] == '_') {
		end++
	}
	if end == p.at || end == len(p.runes) || !isColon(p.runes[end]) {
		return "", false
	}
	name := strings.ToLower(string(p.runes[p.at:end]))
	if end+1 == len(p.runes) || unicode.IsSpace(p.runes[end+1]) || isSeparator(p.runes[end+1]) {
		// "note: a text" is words, but "tag: x" is a filter typed carelessly.
		return name, slices.Contains(Names(), name)
	}
	return name, true
}

// filter reads the filter, or the keyword, that starts here.
func (p *parser) filter(name string, start int) error {
	p.at += len(name) + 1 // names are ASCII, and the colon is one character
	if known, ok := keyword(name); ok {
		return known.read(p, start)
	}
	if !slices.Contains(filters.Names(), name) {
		p.word()
		remedy := "the filters are " + strings.Join(Names(), ", ") + `; to search for the word itself write ` + name + `\:`
		if near := nearname.Nearest(name, Names()); near != "" {
			remedy = "did you mean " + near + ":? " + remedy
		}
		return p.fail(CodeUnknownFilter, start, len(name)+1, remedy, "there is no filter %s:", name)
	}
	valueStart := p.at
	value, err := p.filterValue(name, start)
	if err != nil {
		return err
	}
	if len(p.query.Filters.Source) == p.options.MaximumFilters {
		return p.fail(CodeTooLarge, start, p.at-start, "ask for fewer at a time", "the query has more filters than the limit of %d", p.options.MaximumFilters)
	}
	p.query.Filters.Source = append(p.query.Filters.Source, Clause{
		Text: string(p.runes[start:p.at]), Offset: start, Length: p.at - start,
	})
	return p.setFilter(name, value, valueStart)
}

func (p *parser) filterValue(name string, start int) (string, error) {
	if p.at == len(p.runes) || unicode.IsSpace(p.runes[p.at]) || isSeparator(p.runes[p.at]) {
		field, _ := filters.Named(name)
		return "", p.fail(CodeInvalidFilterValue, start, p.at-start, "write it right after the colon, as in "+field.Example, "the filter %s: has no value", name)
	}
	if isQuote(p.runes[p.at]) {
		return p.quoted()
	}
	value, _ := p.word()
	return value, nil
}

// setFilter keeps one value. at is where the value starts.
func (p *parser) setFilter(name, value string, at int) error {
	field, _ := filters.Named(name)
	return p.refuse(field.Set(&p.query.Filters.Filter, value, filters.Reading{Location: p.options.Location}), at, p.at-at)
}

// refuse says where in the query a value stands that a filter does not take.
func (p *parser) refuse(err error, at, length int) error {
	var wrong *filters.ValueError
	if !errors.As(err, &wrong) {
		return err
	}
	code := CodeInvalidFilterValue
	if wrong.Date {
		code = CodeInvalidDate
	}
	return p.fail(code, at, length, wrong.Remedy, "%s", wrong.Problem)
}

// check refuses filters that no record can pass.
func (f Filters) check(p *parser) error {
	err := filters.Check(f.Filter)
	if err == nil {
		return nil
	}
	last := f.Source[len(f.Source)-1]
	for _, source := range f.Source {
		if strings.HasPrefix(strings.ToLower(source.Text), string(filters.Before)+":") {
			last = source
		}
	}
	return p.refuse(err, last.Offset, last.Length)
}
