package filters

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"mekiki/index"
)

// Date is what date filters compare.
type Date struct {
	Date Moment // of Record.Date
	// Taken says that the date is what the camera's clock showed. It was Offset
	// seconds ahead of UTC, where OffsetKnown.
	Taken, OffsetKnown bool
	Offset             int32
}

// DateOf gives what date filters compare of a record.
func DateOf(r *index.Record) Date {
	d := Date{Date: MomentOf(r.Date()), Taken: !r.Taken().IsZero()}
	if offset := r.TakenOffset(); d.Taken && offset != nil {
		d.Offset, d.OffsetKnown = int32(*offset/time.Second), true
	}
	return d
}

// Moment is a time without a place, for comparing.
type Moment struct {
	Seconds     int64
	Nanoseconds int32
}

// MomentOf gives a time without its place.
func MomentOf(t time.Time) Moment {
	return Moment{t.Unix(), int32(t.Nanosecond())}
}

// IsZero reports whether it is the zero time, which is no date.
func (m Moment) IsZero() bool { return m == MomentOf(time.Time{}) }

func (m Moment) before(other Moment) bool {
	return m.Seconds < other.Seconds || m.Seconds == other.Seconds && m.Nanoseconds < other.Nanoseconds
}

// Compare orders two moments, the earlier first.
func (m Moment) Compare(other Moment) int {
	return cmp.Or(cmp.Compare(m.Seconds, other.Seconds), cmp.Compare(m.Nanoseconds, other.Nanoseconds))
}

// bound is one end of a range of dates.
type bound struct {
	at Moment
	// zoned says that it is a moment, in a zone that is so many seconds ahead of UTC.
	zoned bool
	zone  int64
}

func boundOf(t time.Time, zoned bool) bound {
	_, offset := t.Zone()
	return bound{at: MomentOf(t), zoned: zoned, zone: int64(offset)}
}

// compared gives the time that is compared with the bound.
func (b bound) compared(d Date) Moment {
	switch {
	case !b.zoned || !d.Taken:
	case d.OffsetKnown:
		d.Date.Seconds -= int64(d.Offset)
	default:
		d.Date.Seconds -= b.zone
	}
	return d.Date
}

func setDate(target *time.Time, zoned *bool, name Name, value string, o Reading) error {
	if !target.IsZero() {
		return twice(name)
	}
	location := o.Location
	if location == nil {
		location = time.UTC
	}
	date, isZoned, problem := parseDate(value, location)
	if problem != "" {
		return &ValueError{Problem: problem, Date: true, Remedy: "write a year, a month, a day or a time, such as 2024, 2024-05, 2024-05-31 or 2024-05-31T18:30"}
	}
	*target, *zoned = date, isZoned
	return nil
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
