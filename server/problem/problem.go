package problem

import (
	"fmt"

	"mekiki/search/contract"
)

// Field is one member of a request that is at fault.
type Field struct {
	// Field is the name of the parameter or the path of the member, such as
	// "filter.after".
	Field string `json:"field"`
	// Detail says what is wrong with it.
	Detail string `json:"detail"`
}

// Problem is the one error shape, after RFC 9457. It is an error.
type Problem struct {
	Type     string             `json:"type"`
	Title    string             `json:"title"`
	Status   int                `json:"status"`
	Code     Code               `json:"code"`
	Detail   string             `json:"detail,omitempty"`
	Hint     string             `json:"hint,omitempty"`
	Instance string             `json:"instance"`
	Errors   []Field            `json:"errors,omitempty"`
	Position *contract.Position `json:"position,omitempty"`

	// RetryAfter is the value of the header of that name in seconds; 0 means none.
	RetryAfter int `json:"-"`
	// Cause is what went wrong, for the log alone.
	Cause error `json:"-"`
}

// Error gives the code and the detail.
func (p *Problem) Error() string {
	switch {
	case p.Cause != nil:
		return fmt.Sprintf("%s: %v", p.Code, p.Cause)
	case p.Detail != "":
		return fmt.Sprintf("%s: %s", p.Code, p.Detail)
	}
	return string(p.Code)
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// New makes a problem of the table's entry for code. A code that is not
// in the table becomes an internal error.
func New(code Code, detail string) *Problem {
	means, known := meanings[code]
	if !known {
		code, means, detail = Internal, meanings[Internal], ""
	}
	return &Problem{
		Type: "/api/docs#problem-" + string(code), Title: means.title, Status: means.status, Code: code, Detail: detail,
	}
}

// Newf is New with a formatted detail.
func Newf(code Code, format string, arguments ...any) *Problem {
	return New(code, fmt.Sprintf(format, arguments...))
}

// Invalid is a problem with one member of the request.
func Invalid(field, format string, arguments ...any) *Problem {
	detail := fmt.Sprintf(format, arguments...)
	problem := New(InvalidRequest, field+": "+detail)
	problem.Errors = []Field{{Field: field, Detail: detail}}
	return problem
}

// Reason is what may be shown of a problem in one line.
func (p *Problem) Reason() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// Shorten cuts a text that is to be shown after some characters.
func Shorten(text string, longest int) string {
	runes := []rune(text)
	if len(runes) <= longest {
		return text
	}
	return string(runes[:longest]) + "…"
}
