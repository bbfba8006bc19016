package query

import (
	"fmt"
	"strings"
)

// Code names a kind of error; codes do not change between releases.
type Code string

// The codes of errors.
const (
	// CodeInvalidQuery: something else is not as the grammar has it.
	CodeInvalidQuery Code = "invalid_query"
	// CodeUnbalancedQuote: a quote was opened and never closed.
	CodeUnbalancedQuote Code = "unbalanced_quote"
	// CodeUnbalancedParenthesis: a parenthesis was opened and never closed.
	CodeUnbalancedParenthesis Code = "unbalanced_parenthesis"
	// CodeUnknownFilter: no filter has this name.
	CodeUnknownFilter Code = "unknown_filter"
	// CodeInvalidFilterValue: the filter does not take this value.
	CodeInvalidFilterValue Code = "invalid_filter_value"
	// CodeInvalidDate: the date does not exist, or the range holds none.
	CodeInvalidDate Code = "invalid_date"
	// CodeControlCharacter: a control character, or bytes that are no UTF-8.
	CodeControlCharacter Code = "control_character"
	// CodeTooLarge: more than a limit of Options.
	CodeTooLarge Code = "too_large"
)

// Error is a query that cannot be read.
type Error struct {
	Code Code
	// Message says what is wrong, in lower case and without a full stop.
	Message string
	// Remedy says what to do; it may be empty.
	Remedy string
	// Query is the text, and Offset and Length the characters at fault, in
	// code points. The offset may be just behind the last character.
	Query          string
	Offset, Length int
}

// Error gives the message and the place.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (at character %d)", e.Message, e.Offset+1)
}

// Hint gives the remedy.
func (e *Error) Hint() string { return e.Remedy }

// Pointer gives two lines for a terminal: the query around the fault, and
// carets under the characters at fault.
func (e *Error) Pointer() string { return Pointer(e.Query, e.Offset, e.Length) }

// Pointer gives two lines for a terminal: the text around a place (at most 60
// characters of it), and carets under the characters from offset on.
func Pointer(text string, offset, length int) string {
	const before, window = 30, 60
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	offset = min(max(offset, 0), len(runes))
	length = max(min(length, len(runes)-offset), 1)
	from := max(0, offset-before)
	to := min(len(runes), from+window)
	var line, carets strings.Builder
	if from > 0 {
		line.WriteString("…")
		carets.WriteString(" ")
	}
	for i := from; i <= to; i++ {
		shown, columns := ' ', 1
		if i < to {
			shown, columns = printable(runes[i]), displayColumns(runes[i])
			line.WriteRune(shown)
		}
		mark := " "
		if i >= offset && i < offset+length {
			mark = "^"
		}
		carets.WriteString(strings.Repeat(mark, columns))
	}
	if to < len(runes) {
		line.WriteString("…")
	}
	return line.String() + "\n" + strings.TrimRight(carets.String(), " ")
}
