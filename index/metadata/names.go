package metadata

import (
	"path/filepath"
	"strings"
	"time"
)

// Years that a number in a name can mean: one with separators, such as 1965-07-04, is
// surely a date; eight digits in a row are one only of the time of digital cameras.
const (
	firstNamedYear   = 1826
	firstCompactYear = 1980
	lastNamedYear    = 2099
)

// dateInName finds the date that cameras, phones and messengers put into the names of
// files: IMG-20250108-WA0000, 20181229_131541, PXL_20230415_123456789, Screenshot_2023-04-15-12-34-56,
// 2019-07-04 12.30.55, "WhatsApp Image 2023-04-15 at 12.34.56 PM".
func dateInName(name string) (moment, bool) {
	name = strings.TrimSuffix(name, filepath.Ext(name))
	name = name[:min(len(name), maxShortText)]
	for at := 0; at < len(name); at++ {
		if !isDigit(name, at) || at > 0 && isDigit(name, at-1) {
			continue
		}
		if date, rest, ok := leadingDate(name[at:]); ok {
			return moment{clock: date.Add(leadingTime(rest))}, true
		}
	}
	return moment{}, false
}

func isDigit(text string, at int) bool {
	return at < len(text) && '0' <= text[at] && text[at] <= '9'
}

// digitsAt counts the digits from a place on.
func digitsAt(text string) (count int) {
	for isDigit(text, count) {
		count++
	}
	return count
}

// leadingDate reads a date in the form 20190704, 2019-07-04, 2019_07_04 or 2019.07.04,
// or one with the time of day in the same fourteen digits.
func leadingDate(text string) (date time.Time, rest string, ok bool) {
	s := scanner{text}
	digits := digitsAt(text)
	first := firstNamedYear
	var year, month, day int
	switch {
	case digits == 8 || digits == 14 || digits == 17:
		first = firstCompactYear
		year, _ = s.number(4, 4)
		month, _ = s.number(2, 2)
		day, _ = s.number(2, 2)
	case digits == 4:
		year, _ = s.number(4, 4)
		separator := s.rest[:min(1, len(s.rest))]
		if separator == "" || !strings.Contains("-_. ", separator) {
			return date, "", false
		}
		s.skip(separator)
		okMonth, okDay := false, false
		month, okMonth = s.number(2, 2)
		if !okMonth || !s.skip(separator) || digitsAt(s.rest) != 2 {
			return date, "", false
		}
		if day, okDay = s.number(2, 2); !okDay {
			return date, "", false
		}
	default:
		return date, "", false
	}
	date = time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	ok = year >= first && year <= lastNamedYear && date.Day() == day && int(date.Month()) == month
	return date, s.rest, ok
}

// leadingTime reads the time of day that follows a date; zero where none does.
func leadingTime(text string) time.Duration {
	rest := strings.TrimLeft(text, "_-. ")
	rest = strings.TrimPrefix(rest, "at ")
	rest = strings.TrimPrefix(rest, "at-")
	rest = strings.TrimPrefix(rest, "T")
	if len(text)-len(rest) > 5 {
		return 0
	}
	s := scanner{rest}
	var hour, minute, second int
	switch digits := digitsAt(rest); {
	case digits == 6 || digits == 9:
		hour, _ = s.number(2, 2)
		minute, _ = s.number(2, 2)
		second, _ = s.number(2, 2)
	case digits == 2 || digits == 1:
		hour, _ = s.number(1, 2)
		if !s.skip("-_.:h") || digitsAt(s.rest) != 2 {
			return 0
		}
		minute, _ = s.number(2, 2)
		if s.skip("-_.:m") && digitsAt(s.rest) == 2 {
			second, _ = s.number(2, 2)
		}
	default:
		return 0
	}
	switch half := strings.ToUpper(strings.TrimLeft(s.rest, " \u202f")); {
	case strings.HasPrefix(half, "PM") && hour < 12:
		hour += 12
	case strings.HasPrefix(half, "AM") && hour == 12:
		hour = 0
	}
	if hour > 23 || minute > 59 || second > 59 {
		return 0
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
}
