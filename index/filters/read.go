package filters

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"mekiki/embed/pixels"
	"mekiki/index"
)

// Reading says how values are read.
type Reading struct {
	// Location is the zone of dates without one; nil means UTC.
	Location *time.Location
	// AnyFormat takes image formats that nobody knows, which no record has.
	AnyFormat bool
}

// ValueError is a value that a filter does not take.
type ValueError struct {
	// Problem says what is wrong, and Remedy how to write a value.
	Problem, Remedy string
	// Date says that a date is wrong.
	Date bool
}

// Error implements error.
func (e *ValueError) Error() string { return e.Problem + "; " + e.Remedy }

// Set reads a value into a filter, and adds it to those of a repeatable field. Its error
// is a [*ValueError].
func (f Field) Set(filter *index.Filter, value string, o Reading) error {
	return f.set(filter, value, o)
}

// Check refuses a filter that no record can pass, whatever its other fields.
func Check(f index.Filter) error {
	if near := f.Near; near != nil && checkNear(*near) != "" {
		return &ValueError{Problem: checkNear(*near), Remedy: "give degrees north, degrees east and a distance above 0"}
	}
	if !f.After.IsZero() && !f.Before.IsZero() && f.AfterZoned == f.BeforeZoned && !f.After.Before(f.Before) {
		return &ValueError{
			Problem: "no date lies between after: and before:", Date: true,
			Remedy: "after: is the first moment wanted and before: the first one no longer wanted",
		}
	}
	return nil
}

func appendText(of func(*index.Filter) *[]string) func(*index.Filter, string, Reading) error {
	return func(f *index.Filter, value string, _ Reading) error {
		list := of(f)
		*list = append(*list, value)
		return nil
	}
}

func twice(name Name) error {
	return &ValueError{Problem: string(name) + ": stands twice", Remedy: "leave one of them out"}
}

func setType(f *index.Filter, value string, o Reading) error {
	format, known := pixels.ParseFormat(value)
	switch {
	case known:
		value = string(format)
	case !o.AnyFormat:
		return &ValueError{Problem: fmt.Sprintf("%q is no type of image", value), Remedy: "the types are " + typeNames()}
	}
	f.Formats = append(f.Formats, value)
	return nil
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

func setKind(f *index.Filter, value string, _ Reading) error {
	kind, err := index.ParseKind(strings.TrimSuffix(strings.ToLower(value), "s"))
	if err != nil {
		return &ValueError{Problem: fmt.Sprintf("%q is no kind of record", value), Remedy: "write kind:image or kind:text"}
	}
	f.Kinds = append(f.Kinds, kind)
	return nil
}

func setID(f *index.Filter, value string, _ Reading) error {
	id, err := index.ParseID(value)
	if err != nil {
		return &ValueError{Problem: fmt.Sprintf("%q is not the id of a record", value), Remedy: "give the id of a record"}
	}
	f.IDs = append(f.IDs, id)
	return nil
}

func setTaken(f *index.Filter, value string, _ Reading) error {
	known := strings.EqualFold(value, "known")
	if !known && !strings.EqualFold(value, "unknown") {
		return &ValueError{
			Problem: fmt.Sprintf("%q says nothing about when a picture was taken", value),
			Remedy:  "write taken:unknown or taken:known; for a date, after: and before:",
		}
	}
	if f.Taken != nil && *f.Taken != known {
		return twice(Taken)
	}
	f.Taken = &known
	return nil
}

// readYesNo reads yes or no, and reports whether it is either.
func readYesNo(value string) (yes, ok bool) {
	switch strings.ToLower(value) {
	case "yes", "true":
		return true, true
	case "no", "false":
		return false, true
	}
	return false, false
}

func setFavourite(f *index.Filter, value string, _ Reading) error {
	yes, ok := readYesNo(value)
	if !ok {
		return &ValueError{Problem: fmt.Sprintf("%q is neither yes nor no", value), Remedy: "write favourite:yes or favourite:no"}
	}
	if f.Favourite != nil && *f.Favourite != yes {
		return twice(Favourite)
	}
	f.Favourite = &yes
	return nil
}

func setChoice(name Name, of func(*index.Filter) *index.Choice) func(*index.Filter, string, Reading) error {
	return func(f *index.Filter, value string, _ Reading) error {
		choice := index.ChoiceExclude
		if yes, ok := readYesNo(value); yes {
			choice = index.ChoiceOnly
		} else if strings.EqualFold(value, "any") {
			choice = index.ChoiceInclude
		} else if !ok {
			return &ValueError{
				Problem: fmt.Sprintf("%q is neither yes, no nor any", value),
				Remedy:  fmt.Sprintf("write %s:yes, %s:any or %s:no", name, name, name),
			}
		}
		if chosen := of(f); *chosen != index.ChoiceExclude && *chosen != choice {
			return twice(name)
		}
		*of(f) = choice
		return nil
	}
}

func setRating(f *index.Filter, value string, _ Reading) error {
	rating, ok := parseRating(value)
	if !ok {
		return &ValueError{
			Problem: fmt.Sprintf("%q is no rating", value),
			Remedy:  "write a number from 0 to 5, -1 for rejected, or none, as in rating:5, rating:>=4, rating:3..5 or rating:none",
		}
	}
	f.Ratings = append(f.Ratings, rating)
	return nil
}

// parseRating reads a range of ratings: "4", ">=4", "<3", "3..5" or "none".
func parseRating(value string) (index.RatingRange, bool) {
	value = strings.ToLower(strings.TrimSpace(value))
	if value == "none" || value == "unrated" {
		return index.RatingRange{Unrated: true}, true
	}
	rating := index.RatingRange{Least: leastRating, Most: mostRating}
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

func setNear(f *index.Filter, value string, _ Reading) error {
	if f.Near != nil {
		return twice(Near)
	}
	near, problem := parseNear(value)
	if problem != "" {
		return &ValueError{Problem: problem, Remedy: "write near:latitude,longitude,kilometres, as in near:35.01,135.77,10"}
	}
	f.Near = near
	return nil
}

func parseNear(value string) (near *index.Near, problem string) {
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
	near = &index.Near{Latitude: numbers[0], Longitude: numbers[1], Kilometres: numbers[2]}
	if problem = checkNear(*near); problem != "" {
		return nil, problem
	}
	return near, ""
}

// checkNear says what is wrong with a circle; "" means nothing.
func checkNear(near index.Near) string {
	switch {
	case !(math.Abs(near.Latitude) <= 90):
		return "a latitude lies between -90 and 90 degrees"
	case !(math.Abs(near.Longitude) <= 180):
		return "a longitude lies between -180 and 180 degrees"
	case !(near.Kilometres > 0 && near.Kilometres <= farthest):
		return fmt.Sprintf("a distance lies above 0 and is at most %d kilometres, half way around the earth", farthest)
	}
	return ""
}
