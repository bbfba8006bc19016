package query

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// FilterNames lists the filters, in the order of the documentation.
func FilterNames() []string {
	return []string{"folder", "after", "before", "camera", "tag", "type", "near", "kind"}
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
		return "", p.fail(CodeInvalidFilterValue, start, p.at-start, "write it right after the colon, as in "+example(name), "the filter %s: has no value", name)
	}
	if isQuote(p.runes[p.at]) {
		return p.quoted()
	}
	value, _ := p.word()
	return value, nil
}

func example(name string) string {
	switch name {
	case "folder":
		return "folder:Holiday"
	case "after", "before":
		return name + ":2024-05-31"
	case "camera":
		return `camera:"Nikon Z6"`
	case "tag":
		return "tag:family"
	case "type":
		return "type:jpeg"
	case "near":
		return "near:35.01,135.77,10"
	}
	return "kind:image"
}

// setFilter keeps one value. at is where the value starts.
func (p *parser) setFilter(name, value string, at int) error {
	filters := &p.query.Filters
	length := p.at - at
	bad := func(remedy, format string, arguments ...any) error {
		return p.fail(CodeInvalidFilterValue, at, length, remedy, format, arguments...)
	}
	switch name {
	case "folder":
		filters.Folders = append(filters.Folders, value)
	case "camera":
		filters.Cameras = append(filters.Cameras, value)
	case "tag":
		filters.Tags = append(filters.Tags, value)
	case "type":
		format, known := formatOf(value)
		if !known {
			return bad("the types are jpeg, png, gif, webp, bmp, tiff and heic", "%q is no type of image", value)
		}
		filters.Types = append(filters.Types, format)
	case "kind":
		kind := strings.TrimSuffix(strings.ToLower(value), "s")
		if kind != "image" && kind != "text" {
			return bad("write kind:image or kind:text", "%q is no kind of record", value)
		}
		filters.Kinds = append(filters.Kinds, kind)
	case "after":
		return p.setDate(&filters.After, name, value, at)
	case "before":
		return p.setDate(&filters.Before, name, value, at)
	case "near":
		if filters.Near != nil {
			return bad("leave one of them out", "near: stands twice")
		}
		near, problem := parseNear(value)
		if problem != "" {
			return bad("write near:latitude,longitude,kilometres, as in "+example(name), "%s", problem)
		}
		filters.Near = near
	}
	return nil
}

func formatOf(value string) (string, bool) {
	value = strings.TrimPrefix(strings.ToLower(value), ".")
	switch value {
	case "jpg", "jpe", "jfif":
		return "jpeg", true
	case "tif":
		return "tiff", true
	case "heif":
		return "heic", true
	case "jpeg", "png", "gif", "webp", "bmp", "tiff", "heic":
		return value, true
	}
	return "", false
}

func (p *parser) setDate(target *time.Time, name, value string, at int) error {
	length := p.at - at
	if !target.IsZero() {
		return p.fail(CodeInvalidFilterValue, at, length, "leave one of them out", "%s: stands twice", name)
	}
	date, problem := parseDate(value, p.options.Location)
	if problem != "" {
		return p.fail(CodeInvalidDate, at, length, "write a year, a month, a day or a time, such as 2024, 2024-05, 2024-05-31 or 2024-05-31T18:30", "%s", problem)
	}
	*target = date
	return nil
}

// parseDate reads a date; problem is empty when it is one.
func parseDate(value string, location *time.Location) (date time.Time, problem string) {
	layouts := []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", time.RFC3339}
	for _, layout := range layouts {
		date, err := time.ParseInLocation(layout, value, location)
		if err == nil {
			if date.Year() < 1 {
				return time.Time{}, strconv.Quote(value) + " is before the year 1"
			}
			return date, ""
		}
		// A date of the right form with a day that no calendar has.
		if strings.Contains(err.Error(), "out of range") {
			return time.Time{}, strconv.Quote(value) + " is a date that does not exist"
		}
	}
	return time.Time{}, strconv.Quote(value) + " is no date"
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
	if f.After.IsZero() || f.Before.IsZero() || f.After.Before(f.Before) {
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
