package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/labstack/echo/v4"

	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/originals"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/search"
)

// Code names one kind of problem. Codes are a public contract; those of package
// search are codes too.
type Code string

// The codes of the server itself.
const (
	CodeInvalidRequest       Code = "invalid_request"
	CodeUnauthorized         Code = "unauthorized"
	CodeForbidden            Code = "forbidden"
	CodeCrossSite            Code = "cross_site"
	CodeNotFound             Code = "not_found"
	CodeMethodNotAllowed     Code = "method_not_allowed"
	CodeNotAcceptable        Code = "not_acceptable"
	CodeSlowRequest          Code = "slow_request"
	CodeConflict             Code = "conflict"
	CodePreconditionFailed   Code = "precondition_failed"
	CodeBodyTooLarge         Code = "body_too_large"
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	CodeRangeNotSatisfiable  Code = "range_not_satisfiable"
	CodeInvalidImage         Code = "invalid_image"
	CodeImageTooLarge        Code = "image_too_large"
	CodeTooManyRequests      Code = "too_many_requests"
	CodeCancelled            Code = "cancelled"
	CodeInternal             Code = "internal"
	CodeUnsupported          Code = "unsupported"
	CodeUnavailable          Code = "unavailable"
	CodeTimeout              Code = "timeout"
	CodeInsufficientStorage  Code = "insufficient_storage"
	CodeHeadersTooLarge      Code = "headers_too_large"
	CodeExpectationFailed    Code = "expectation_failed"
	CodeVersionNotSupported  Code = "version_not_supported"
)

// statusClientClosed is what a log shows when the client went away; nobody
// receives it.
const statusClientClosed = 499

// meaning is what a code stands for.
type meaning struct {
	status int
	title  string
}

// meanings is the one table from codes to answers. It never changes.
var meanings = map[Code]meaning{
	CodeInvalidRequest:       {http.StatusBadRequest, "Invalid request"},
	CodeUnauthorized:         {http.StatusUnauthorized, "Authentication required"},
	CodeForbidden:            {http.StatusForbidden, "Forbidden"},
	CodeCrossSite:            {http.StatusForbidden, "Cross-site request refused"},
	CodeNotFound:             {http.StatusNotFound, "Not found"},
	CodeMethodNotAllowed:     {http.StatusMethodNotAllowed, "Method not allowed"},
	CodeNotAcceptable:        {http.StatusNotAcceptable, "Not acceptable"},
	CodeSlowRequest:          {http.StatusRequestTimeout, "Request timeout"},
	CodeConflict:             {http.StatusConflict, "Conflict"},
	CodePreconditionFailed:   {http.StatusPreconditionFailed, "Precondition failed"},
	CodeBodyTooLarge:         {http.StatusRequestEntityTooLarge, "Request body too large"},
	CodeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "Unsupported media type"},
	CodeRangeNotSatisfiable:  {http.StatusRequestedRangeNotSatisfiable, "Range not satisfiable"},
	CodeInvalidImage:         {http.StatusUnprocessableEntity, "Unreadable image"},
	CodeImageTooLarge:        {http.StatusRequestEntityTooLarge, "Image too large"},
	CodeTooManyRequests:      {http.StatusTooManyRequests, "Too many requests"},
	CodeCancelled:            {statusClientClosed, "Client closed request"},
	CodeInternal:             {http.StatusInternalServerError, "Internal server error"},
	CodeUnsupported:          {http.StatusNotImplemented, "Not supported by this server"},
	CodeUnavailable:          {http.StatusServiceUnavailable, "Temporarily unavailable"},
	CodeTimeout:              {http.StatusServiceUnavailable, "Processing timed out"},
	CodeInsufficientStorage:  {http.StatusInsufficientStorage, "Insufficient storage"},
	CodeHeadersTooLarge:      {http.StatusRequestHeaderFieldsTooLarge, "Request headers too large"},
	CodeExpectationFailed:    {http.StatusExpectationFailed, "Expectation failed"},
	CodeVersionNotSupported:  {http.StatusHTTPVersionNotSupported, "HTTP version not supported"},

	Code(search.CodeEmptyRequest):          {http.StatusBadRequest, "Empty search request"},
	Code(search.CodeInvalidQuery):          {http.StatusBadRequest, "Invalid query syntax"},
	Code(search.CodeUnbalancedQuote):       {http.StatusBadRequest, "Unclosed quotation mark"},
	Code(search.CodeUnbalancedParenthesis): {http.StatusBadRequest, "Unbalanced parenthesis"},
	Code(search.CodeUnknownFilter):         {http.StatusBadRequest, "Unknown filter"},
	Code(search.CodeInvalidFilterValue):    {http.StatusBadRequest, "Invalid filter value"},
	Code(search.CodeInvalidDate):           {http.StatusBadRequest, "Invalid date"},
	Code(search.CodeControlCharacter):      {http.StatusBadRequest, "Control character in text"},
	Code(search.CodeTooLarge):              {http.StatusRequestEntityTooLarge, "Request exceeds a limit"},
	Code(search.CodeNothingWanted):         {http.StatusBadRequest, "Query only excludes"},
	Code(search.CodeInvalidOption):         {http.StatusBadRequest, "Invalid option"},
	Code(search.CodeInvalidCursor):         {http.StatusBadRequest, "Invalid cursor"},
	Code(search.CodeInvalidCrop):           {http.StatusBadRequest, "Invalid crop"},
	Code(search.CodeRecordNotFound):        {http.StatusNotFound, "Record not found"},
	Code(search.CodeImageUndecodable):      {http.StatusUnprocessableEntity, "Unreadable image"},
	Code(search.CodeSpaceMismatch):         {http.StatusConflict, "Library uses a different model"},
	// search.CodeUnavailable is CodeUnavailable.
}

// FieldProblem is one member of a request that is at fault.
type FieldProblem struct {
	// Field is the name of the parameter or the path of the member, such as
	// "filter.after".
	Field string `json:"field"`
	// Detail says what is wrong with it.
	Detail string `json:"detail"`
}

// Problem is the one error shape, after RFC 9457. It is an error.
type Problem struct {
	Type     string           `json:"type"`
	Title    string           `json:"title"`
	Status   int              `json:"status"`
	Code     Code             `json:"code"`
	Detail   string           `json:"detail,omitempty"`
	Hint     string           `json:"hint,omitempty"`
	Instance string           `json:"instance"`
	Errors   []FieldProblem   `json:"errors,omitempty"`
	Position *search.Position `json:"position,omitempty"`

	retryAfter int // seconds; 0 means none
	cause      error
}

// Error gives the code and the detail.
func (p *Problem) Error() string {
	switch {
	case p.cause != nil:
		return fmt.Sprintf("%s: %v", p.Code, p.cause)
	case p.Detail != "":
		return fmt.Sprintf("%s: %s", p.Code, p.Detail)
	}
	return string(p.Code)
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.cause }

// newProblem makes a problem of the table's entry for code. A code that is not
// in the table becomes an internal error.
func newProblem(code Code, detail string) *Problem {
	means, known := meanings[code]
	if !known {
		code, means, detail = CodeInternal, meanings[CodeInternal], ""
	}
	return &Problem{
		Type: "/api/docs#problem-" + string(code), Title: means.title, Status: means.status, Code: code, Detail: detail,
	}
}

func problemf(code Code, format string, arguments ...any) *Problem {
	return newProblem(code, fmt.Sprintf(format, arguments...))
}

// invalid is a problem with one member of the request.
func invalid(field, format string, arguments ...any) *Problem {
	detail := fmt.Sprintf(format, arguments...)
	problem := newProblem(CodeInvalidRequest, field+": "+detail)
	problem.Errors = []FieldProblem{{Field: field, Detail: detail}}
	return problem
}

// asProblem turns any error into a problem. What it does not know shows as an
// internal error without a word of the cause, which only the log gets.
func asProblem(err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		copied := *known
		return &copied
	}
	if problem := searchProblem(err); problem != nil {
		return problem
	}
	var code Code
	var tooLarge *http.MaxBytesError
	var framework *echo.HTTPError
	detail := ""
	switch {
	case errors.As(err, &tooLarge):
		code, detail = CodeBodyTooLarge, "the limit is "+sizeText(tooLarge.Limit)
	case errors.As(err, &framework):
		code = codeOfStatus(framework.Code)
	case errors.Is(err, pixels.ErrTooLarge):
		code, detail = CodeImageTooLarge, err.Error()
	case errors.Is(err, pixels.ErrUnsupported), errors.Is(err, pixels.ErrCorrupt):
		code, detail = CodeInvalidImage, err.Error()
	case errors.Is(err, index.ErrNotFound):
		code = CodeNotFound
	case errors.Is(err, index.ErrReadOnly):
		code, detail = CodeUnsupported, "the library is open for reading only"
	case errors.Is(err, index.ErrMoved):
		code, detail = CodeUnavailable, index.ErrMoved.Error()
	case diskspace.IsFull(err):
		code, detail = CodeInsufficientStorage, "the disk is full; nothing was written, and the library is unchanged"
	case errors.Is(err, originals.ErrFolderGone):
		code, detail = CodeUnavailable, originals.ErrFolderGone.Error()
	case errors.Is(err, index.ErrClosed), errors.Is(err, index.ErrWriter):
		code = CodeUnavailable
	case errors.Is(err, index.ErrSpace):
		code = Code(search.CodeSpaceMismatch)
	case errors.Is(err, context.DeadlineExceeded):
		code = CodeTimeout
	case errors.Is(err, os.ErrDeadlineExceeded):
		code = CodeSlowRequest
	case errors.Is(err, context.Canceled):
		code = CodeCancelled
	case errors.Is(err, io.ErrUnexpectedEOF):
		code, detail = CodeInvalidRequest, "the body ends too early"
	default:
		code = CodeInternal
	}
	problem := newProblem(code, detail)
	problem.cause = err
	if code != CodeInternal {
		problem.Hint = hint.Of(err)
	}
	if code == CodeInsufficientStorage { // what the library says is for the command line
		problem.Hint = "free some space on the disk that holds the library and its uploads, then send the request again"
	}
	if code == CodeUnavailable || code == CodeTimeout {
		problem.retryAfter = 5
	}
	return problem
}

// searchProblem gives the problem of an error that package search describes, or
// nil. Its codes, messages and remedies are made to be shown; its causes are not.
func searchProblem(err error) *Problem {
	var described *search.Error
	if !errors.As(err, &described) {
		return nil
	}
	problem := newProblem(Code(described.Code), described.Message)
	problem.Hint, problem.Position, problem.cause = described.Remedy, described.Position, err
	if described.Field != "" {
		problem.Errors = []FieldProblem{{Field: described.Field, Detail: described.Message}}
	}
	if problem.Status == http.StatusServiceUnavailable {
		problem.retryAfter = 5
	}
	return problem
}

// sizeText shows a number of bytes, which limits give mostly in whole units.
func sizeText(bytes int64) string {
	switch {
	case bytes >= 1<<20 && bytes%(1<<10) == 0:
		return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', -1, 64) + " MiB"
	case bytes >= 1<<10 && bytes%(1<<10) == 0:
		return strconv.FormatInt(bytes>>10, 10) + " KiB"
	}
	return strconv.FormatInt(bytes, 10) + " bytes"
}

// codeOfStatus gives the code of an error that echo itself raised.
func codeOfStatus(status int) Code {
	switch status {
	case http.StatusNotFound:
		return CodeNotFound
	case http.StatusMethodNotAllowed:
		return CodeMethodNotAllowed
	case http.StatusRequestEntityTooLarge:
		return CodeBodyTooLarge
	case http.StatusUnsupportedMediaType:
		return CodeUnsupportedMediaType
	case http.StatusBadRequest:
		return CodeInvalidRequest
	}
	return CodeInternal
}

// writeProblem sends a problem as the whole answer.
func writeProblem(c echo.Context, problem *Problem) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(problem); err != nil {
		return fmt.Errorf("encode problem: %w", err)
	}
	c.Response().WriteHeader(problem.Status)
	_, err := c.Response().Write(buffer.Bytes())
	return err
}

// reason is what may be shown of a problem in one line.
func (p *Problem) reason() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}
