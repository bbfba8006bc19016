package metadata

import (
	"strconv"
	"strings"
	"time"
)

// moment is what a clock showed, as if it were UTC, and how far it was ahead of UTC.
type moment struct {
	clock  time.Time
	offset *time.Duration
}

// scanner reads numbers from the front of a text.
type scanner struct{ rest string }

// number takes between least and most digits.
func (s *scanner) number(least, most int) (int, bool) {
	digits := 0
	for digits < len(s.rest) && digits < most && '0' <= s.rest[digits] && s.rest[digits] <= '9' {
		digits++
	}
	if digits < least {
		return 0, false
	}
	number, err := strconv.Atoi(s.rest[:digits])
	s.rest = s.rest[digits:]
	return number, err == nil
}

// skip takes one of the characters, and says whether there was one.
func (s *scanner) skip(characters string) bool {
	if s.rest != "" && strings.IndexByte(characters, s.rest[0]) >= 0 {
		s.rest = s.rest[1:]
		return true
	}
	return false
}

// parseDate reads a date as EXIF, XMP, IPTC and PNG write it: "2024:03:01 10:00:00",
// "2024-03-01T10:00:00.25+09:00", "20240301", "2024-03", "2024". What is not said of a
// date is its beginning. A date with a month, a day or an hour that does not exist is
// none.
func parseDate(text string) (moment, bool) {
	s := scanner{strings.TrimSpace(text)}
	year, ok := s.number(4, 4)
	if !ok || year < earliestYear {
		return moment{}, false
	}
	month, day, ok := s.monthAndDay()
	if !ok {
		return moment{}, false
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Day() != day || int(date.Month()) != month {
		return moment{}, false
	}
	clock, ok := s.clock()
	if !ok {
		return moment{}, false
	}
	m := moment{clock: date.Add(clock), offset: parseZone(s.rest)}
	return m, m.clock.Year() <= 9999
}

// monthAndDay reads both, one or none; zeros say that they are not known.
func (s *scanner) monthAndDay() (month, day int, ok bool) {
	separators := ":-/."
	if s.rest == "" {
		return 1, 1, true
	}
	compact := !s.skip(separators)
	if month, ok = s.number(1, 2); !ok {
		return 0, 0, false
	}
	if s.rest == "" || !compact && !s.skip(separators) {
		return max(month, 1), 1, month <= 12 && s.rest == ""
	}
	if day, ok = s.number(1, 2); !ok {
		return 0, 0, false
	}
	return max(month, 1), max(day, 1), month <= 12 && day <= 31
}

// clock reads the time of day, if there is one: with seconds and fractions or without.
func (s *scanner) clock() (time.Duration, bool) {
	s.rest = strings.TrimLeft(s.rest, "T ")
	hour, ok := s.number(2, 2)
	if !ok {
		return 0, strings.Trim(s.rest, " :") == "" || parseZone(s.rest) != nil
	}
	compact := !s.skip(":")
	minute, ok := s.number(2, 2)
	if !ok {
		return 0, false
	}
	second := 0
	if compact || s.skip(":") {
		if second, ok = s.number(2, 2); !ok && s.rest != "" && strings.TrimLeft(s.rest, " :") != "" && parseZone(s.rest) == nil {
			return 0, false
		}
	}
	var fraction time.Duration
	if s.skip(".,") {
		end := 0
		for end < len(s.rest) && '0' <= s.rest[end] && s.rest[end] <= '9' {
			end++
		}
		fraction = fractionOf(s.rest[:end])
		s.rest = s.rest[end:]
	}
	if hour > 24 || minute > 59 || second > 60 || hour == 24 && minute+second > 0 {
		return 0, false
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + fraction, true
}

// fractionOf gives what digits after a point mean, in nanoseconds.
func fractionOf(digits string) time.Duration {
	number, err := strconv.Atoi((strings.TrimSpace(digits) + "000000000")[:9])
	if err != nil {
		return 0
	}
	return time.Duration(number)
}

// parseZone reads "Z", "+09:00", "-0330" or "+9"; nil when it is none.
func parseZone(text string) *time.Duration {
	text = strings.TrimSpace(text)
	if text == "Z" || text == "z" || text == "UTC" || text == "GMT" {
		return new(time.Duration)
	}
	if len(text) < 2 || text[0] != '+' && text[0] != '-' {
		return nil
	}
	s := scanner{text[1:]}
	hours, ok := s.number(1, 2)
	if !ok {
		return nil
	}
	s.skip(":")
	minutes, _ := s.number(2, 2)
	if s.skip(":") {
		_, _ = s.number(2, 2)
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if offset > maxOffset || minutes > 59 || s.rest != "" {
		return nil
	}
	if text[0] == '-' {
		offset = -offset
	}
	return &offset
}

// zoneByGPS says how far a camera's clock was ahead of the satellites'. A camera's fix
// may be a minute old; where the rest is no quarter of an hour, nothing is known.
func zoneByGPS(clock, gps time.Time) *time.Duration {
	const quarter, tolerance = 15 * time.Minute, time.Minute
	difference := clock.Sub(gps)
	offset := difference.Round(quarter)
	if (difference-offset).Abs() > tolerance || offset.Abs() > maxOffset {
		return nil
	}
	return &offset
}

func parseNumber(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if above, below, isFraction := strings.Cut(text, "/"); isFraction {
		a, okA := parseNumber(above)
		b, err := strconv.ParseFloat(below, 64)
		return a / b, okA && err == nil && b != 0
	}
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil && number == number && number < 1e15 && number > -1e15
}

func isDigits(text string) bool {
	for _, c := range []byte(strings.TrimSpace(text)) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
