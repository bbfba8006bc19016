package contract

import (
	"fmt"
	"strings"

	"mekiki/search/query"
)

// Code names one kind of failure. Codes are a public contract: they do not
// change between releases, and the HTTP API carries them as they are.
type Code string

// The codes of errors that a request can cause. A caller that maps them to
// HTTP answers all of them with 400, except CodeRecordNotFound (404),
// CodeTooLarge (413), CodeImageUndecodable (422) and CodeUnavailable (503). Those
// of texts that cannot be read are package query's.
const (
	// CodeEmptyRequest: neither words, nor an image, nor a record, nor a filter.
	CodeEmptyRequest Code = "empty_request"
	// CodeInvalidQuery: the query text does not follow the grammar.
	CodeInvalidQuery Code = Code(query.CodeInvalidQuery)
	// CodeUnbalancedQuote: a quote was opened and never closed.
	CodeUnbalancedQuote Code = Code(query.CodeUnbalancedQuote)
	// CodeUnbalancedParenthesis: a parenthesis was opened and never closed.
	CodeUnbalancedParenthesis Code = Code(query.CodeUnbalancedParenthesis)
	// CodeUnknownFilter: a word such as "colour:red" whose name is no filter.
	CodeUnknownFilter Code = Code(query.CodeUnknownFilter)
	// CodeInvalidFilterValue: a filter with a value it does not take.
	CodeInvalidFilterValue Code = Code(query.CodeInvalidFilterValue)
	// CodeInvalidDate: a date that does not exist, or a range that holds none.
	CodeInvalidDate Code = Code(query.CodeInvalidDate)
	// CodeControlCharacter: a control character, or bytes that are no UTF-8.
	CodeControlCharacter Code = Code(query.CodeControlCharacter)
	// CodeTooLarge: more words, clauses, labels or bytes than the limit.
	CodeTooLarge Code = Code(query.CodeTooLarge)
	// CodeNothingWanted: only unwanted clauses; there is nothing to rank by.
	CodeNothingWanted Code = "nothing_wanted"
	// CodeInvalidOption: an option outside its range, such as a negative limit.
	CodeInvalidOption Code = "invalid_option"
	// CodeInvalidCursor: a continuation that this library did not give out.
	CodeInvalidCursor Code = "invalid_cursor"
	// CodeInvalidCrop: a rectangle outside the picture, or an empty one.
	CodeInvalidCrop Code = "invalid_crop"
	// CodeRecordNotFound: the library holds no such record.
	CodeRecordNotFound Code = "record_not_found"
	// CodeImageUndecodable: the picture given cannot be decoded.
	CodeImageUndecodable Code = "image_undecodable"
	// CodeSpaceMismatch: the library was built with another model.
	CodeSpaceMismatch Code = "space_mismatch"
	// CodeUnavailable: what the request needs is not there, such as an
	// engine, or the original file of a record.
	CodeUnavailable Code = "unavailable"
)

// Position is a part of a text, such as the one of a query in which an error lies.
// Offsets count Unicode code points from 0, not bytes.
type Position struct {
	Offset int `json:"offset"`
	Length int `json:"length"`
}

// Error is a failure that the caller can do something about.
type Error struct {
	// Code is the stable name of the failure.
	Code Code `json:"code"`
	// Message says what is wrong, in lower case and without a full stop.
	Message string `json:"message"`
	// Remedy says what to do about it; it may be empty.
	Remedy string `json:"hint,omitempty"`
	// Field names the request field at fault, such as "limit"; it may be empty.
	Field string `json:"field,omitempty"`
	// Position points into the query text; nil when the error is elsewhere.
	Position *Position `json:"position,omitempty"`
	// Query is the text that Position points into.
	Query string `json:"query,omitempty"`
	// Err is the cause; it may be nil.
	Err error `json:"-"`
}

// Error gives the message and the place on one line, without the remedy.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Position != nil {
		fmt.Fprintf(&b, " (at character %d)", e.Position.Offset+1)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Hint gives the remedy; package hint finds it.
func (e *Error) Hint() string { return e.Remedy }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
