package sqlitefile

import (
	"strconv"
	"strings"
	"time"
)

// Text is a value that should be text; "" for NULL and for what is none.
type Text string

// Scan implements [sql.Scanner].
func (t *Text) Scan(value any) error {
	switch value := value.(type) {
	case string:
		*t = Text(strings.Clone(value[:min(len(value), MaximumValue)]))
	case []byte:
		*t = Text(value[:min(len(value), MaximumValue)])
	case int64:
		*t = Text(strconv.FormatInt(value, 10))
	case time.Time: // of a column that is declared as a date
		*t = Text(value.Format("2006-01-02T15:04:05"))
	default:
		*t = ""
	}
	return nil
}

// Number is a value that should be a whole number; 0 for NULL and for what is none.
type Number int64

// Scan implements [sql.Scanner].
func (n *Number) Scan(value any) error {
	*n = 0
	switch value := value.(type) {
	case int64:
		*n = Number(value)
	case float64:
		if value > -1e15 && value < 1e15 {
			*n = Number(value)
		}
	case string:
		if number, err := strconv.ParseFloat(value, 64); err == nil && number > -1e15 && number < 1e15 {
			*n = Number(number)
		}
	}
	return nil
}

// Clock reads a date as databases write it: what a clock showed, without a zone.
func Clock(text Text) time.Time {
	value := strings.TrimSpace(string(text))
	value = strings.Replace(value[:min(len(value), 19)], " ", "T", 1)
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if date, err := time.Parse(layout, value); err == nil {
			return date
		}
	}
	return time.Time{}
}
