package query

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"mekiki/embed/pixels"
)

// filterKind is one filter: all that is known of it stands here.
type filterKind struct {
	name, example string
	// set keeps a value. The problem is "" when it is one; the remedy says how
	// to write one, and is "" where the example says enough.
	set func(p *parser, f *Filters, value string) (problem, remedy string)
	// date says that what is wrong with a value is wrong with a date.
	date bool
}

// filterKinds lists the filters in the order of the documentation.
func filterKinds() []filterKind {
	list := func(of func(f *Filters) *[]string) func(*parser, *Filters, string) (string, string) {
		return func(_ *parser, f *Filters, value string) (string, string) {
			target := of(f)
			*target = append(*target, value)
			return "", ""
		}
	}
	return []filterKind{
		{name: "folder", example: "folder:Holiday", set: list(func(f *Filters) *[]string { return &f.Folders })},
		{name: "after", example: "after:2024-05-31", date: true, set: func(p *parser, f *Filters, value string) (string, string) {
			return p.setDate(&f.After, &f.AfterZoned, "after", value)
		}},
		{name: "before", example: "before:2024-05-31", date: true, set: func(p *parser, f *Filters, value string) (string, string) {
			return p.setDate(&f.Before, &f.BeforeZoned, "before", value)
		}},
		{name: "taken", example: "taken:unknown", set: setTaken},
		{name: "camera", example: `camera:"Nikon Z6"`, set: list(func(f *Filters) *[]string { return &f.Cameras })},
		{name: "tag", example: "tag:family", set: list(func(f *Filters) *[]string { return &f.Tags })},
		{name: "person", example: `person:"Ada Lovelace"`, set: list(func(f *Filters) *[]string { return &f.People })},
		{name: "rating", example: "rating:4..5", set: setRating},
		{name: "type", example: "type:jpeg", set: setType},
		{name: "near", example: "near:35.01,135.77,10", set: setNear},
		{name: "kind", example: "kind:image", set: setKind},
	}
}

// FilterNames lists the filters, in the order of the documentation.
func FilterNames() []string {
	var names []string
	for _, kind := range filterKinds() {
		names = append(names, kind.name)
	}
	return names
}

func filterNamed(name string) filterKind {
	for _, kind := range filterKinds() {
		if kind.name == name {
			return kind
		}
	}
	return filterKind{}
}

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
		return name, slices.Contains(FilterNames(), name)
	}
	return name, true
}

// filter reads the filter that starts here.
func (p *parser) filter(name string, start int) error {
	p.at += len(name) + 1 // names are ASCII, and the colon is one character
	if !slices.Contains(FilterNames(), name) {
		p.word()
		remedy := "the filters are " + strings.Join(FilterNames(), ", ") + `; to search for the word itself write ` + name + `\:`
		if near := nearest(name, FilterNames()); near != "" {
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
		return "", p.fail(CodeInvalidFilterValue, start, p.at-start, "write it right after the colon, as in "+filterNamed(name).example, "the filter %s: has no value", name)
	}
	if isQuote(p.runes[p.at]) {
		return p.quoted()
	}
	value, _ := p.word()
	return value, nil
}

// setFilter keeps one value. at is where the value starts.
func (p *parser) setFilter(name, value string, at int) error {
	kind := filterNamed(name)
	problem, remedy := kind.set(p, &p.query.Filters, value)
	if problem == "" {
		return nil
	}
	code := CodeInvalidFilterValue
	if kind.date && remedy != onlyOnce {
		code = CodeInvalidDate
	}
	return p.fail(code, at, p.at-at, remedy, "%s", problem)
}

// onlyOnce is the remedy where a filter that takes one value has two.
const onlyOnce = "leave one of them out"

func setType(_ *parser, f *Filters, value string) (problem, remedy string) {
	format, known := pixels.ParseFormat(value)
	if !known {
		return fmt.Sprintf("%q is no type of image", value), "the types are " + typeNames()
	}
	f.Types = append(f.Types, string(format))
	return "", ""
}

// typeNames lists the formats that there are.
func typeNames() string {
	var names []string
	for _, format := range pixels.Formats() {
		names = append(names, string(format))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func setKind(_ *parser, f *Filters, value string) (problem, remedy string) {
	kind := strings.TrimSuffix(strings.ToLower(value), "s")
	if kind != "image" && kind != "text" {
		return fmt.Sprintf("%q is no kind of record", value), "write kind:image or kind:text"
	}
	f.Kinds = append(f.Kinds, kind)
	return "", ""
}

func setNear(_ *parser, f *Filters, value string) (problem, remedy string) {
	if f.Near != nil {
		return "near: stands twice", onlyOnce
	}
	if f.Near, problem = parseNear(value); problem != "" {
		return problem, "write near:latitude,longitude,kilometres, as in near:35.01,135.77,10"
	}
	return "", ""
}

func setTaken(_ *parser, f *Filters, value string) (problem, remedy string) {
	known := strings.EqualFold(value, "known")
	if !known && !strings.EqualFold(value, "unknown") {
		return fmt.Sprintf("%q says nothing about when a picture was taken", value),
			"write taken:unknown or taken:known; for a date, after: and before:"
	}
	if f.Taken != nil && *f.Taken != known {
		return "taken: stands twice", onlyOnce
	}
	f.Taken = &known
	return "", ""
}

func setRating(_ *parser, f *Filters, value string) (problem, remedy string) {
	rating, ok := ParseRating(value)
	if !ok {
		return fmt.Sprintf("%q is no rating", value), "write a number from 0 to 5, -1 for rejected, or none, as in rating:5, rating:>=4, rating:3..5 or rating:none"
	}
	f.Ratings = append(f.Ratings, rating)
	return "", ""
}

// The least and the most that a picture can be rated.
const (
	leastRating = -1
	mostRating  = 5
)

// ParseRating reads a range of ratings: "4", ">=4", "<3", "3..5" or "none".
func ParseRating(value string) (Rating, bool) {
	value = strings.ToLower(strings.TrimSpace(value))
	if value == "none" || value == "unrated" {
		return Rating{Unrated: true}, true
	}
	rating := Rating{Least: leastRating, Most: mostRating}
	ok := true
	number := func(text string) int {
		parsed, err := strconv.Atoi(strings.TrimSpace(text))
		ok = ok && err == nil && parsed >= leastRating && parsed <= mostRating
		return parsed
	}
	switch first, last, between := strings.Cut(value, ".."); {
	case between:
		rating.Least, rating.Most = number(first), number(last)
	case strings.HasPrefix(value, ">="):
		rating.Least = number(value[2:])
	case strings.HasPrefix(value, "<="):
		rating.Most = number(value[2:])
	case strings.HasPrefix(value, ">"):
		rating.Least = number(value[1:]) + 1
	case strings.HasPrefix(value, "<"):
		rating.Most = number(value[1:]) - 1
	default:
		rating.Least = number(value)
		rating.Most = rating.Least
	}
	return rating, ok && rating.Least <= rating.Most
}

func (p *parser) setDate(target *time.Time, zoned *bool, name, value string) (problem, remedy string) {
	if !target.IsZero() {
		return name + ": stands twice", onlyOnce
	}
	if *target, *zoned, problem = parseDate(value, p.options.Location); problem != "" {
		return problem, "write a year, a month, a day or a time, such as 2024, 2024-05, 2024-05-31 or 2024-05-31T18:30"
	}
	return "", ""
}

// parseDate reads a date, and says whether it names a zone; problem is empty when it
// is one.
func parseDate(value string, location *time.Location) (date time.Time, zoned bool, problem string) {
	layouts := []struct {
		layout string
		zoned  bool
	}{
		{"2006", false}, {"2006-01", false}, {"2006-01-02", false}, {"2006-01-02T15:04", false}, {"2006-01-02T15:04:05", false},
		{"2006-01-02T15:04Z07:00", true}, {time.RFC3339, true},
	}
	for _, form := range layouts {
		date, err := time.ParseInLocation(form.layout, value, location)
		if err == nil {
			if date.Year() < 1 {
				return time.Time{}, false, strconv.Quote(value) + " is before the year 1"
			}
			return date, form.zoned, ""
		}
		// A date of the right form with a day that no calendar has.
		if strings.Contains(err.Error(), "out of range") {
			return time.Time{}, false, strconv.Quote(value) + " is a date that does not exist"
		}
	}
	return time.Time{}, false, strconv.Quote(value) + " is no date"
}

func parseNear(value string) (near *Near, problem string) {
	fields := strings.Split(value, ",")
	if len(fields) != 3 {
		return nil, "near: takes three numbers with commas between them"
	}
	numbers := [3]float64{}
	for i, field := range fields {
		field = strings.TrimSpace(field)
		if i == 2 {
			field = strings.TrimSpace(strings.TrimSuffix(strings.ToLower(field), "km"))
		}
		number, err := strconv.ParseFloat(field, 64)
		if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
			return nil, strconv.Quote(field) + " is no number"
		}
		numbers[i] = number
	}
	switch {
	case math.Abs(numbers[0]) > 90:
		return nil, "a latitude lies between -90 and 90 degrees"
	case math.Abs(numbers[1]) > 180:
		return nil, "a longitude lies between -180 and 180 degrees"
	case numbers[2] <= 0 || numbers[2] > 20040:
		return nil, "a distance lies above 0 and is at most 20040 kilometres, half way around the earth"
	}
	return &Near{Latitude: numbers[0], Longitude: numbers[1], Kilometres: numbers[2]}, ""
}

// check refuses filters that no record can pass.
func (f Filters) check(p *parser) error {
	if f.After.IsZero() || f.Before.IsZero() || f.AfterZoned != f.BeforeZoned || f.After.Before(f.Before) {
		return nil
	}
	last := f.Source[len(f.Source)-1]
	for _, source := range f.Source {
		if name := strings.ToLower(source.Text); strings.HasPrefix(name, "before") {
			last = source
		}
	}
	return p.fail(CodeInvalidDate, last.Offset, last.Length, "after: is the first moment wanted and before: the first one no longer wanted",
		"no date lies between after: and before:")
}

// nearest gives the name within two edits of word, or "".
func nearest(word string, names []string) string {
	best, distance := "", 3
	for _, name := range names {
		if d := edits(word, name); d < distance && d < len(name) {
			best, distance = name, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two short words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j]+1, previous+1)
		}
	}
	return row[len(b)]
}
