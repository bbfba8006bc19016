package problem

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"mekiki/embed/answering"
	"mekiki/embed/pixels"
	"mekiki/index"
	"mekiki/index/originals"
	"mekiki/index/pictures"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
	"mekiki/search/contract"
	"mekiki/server/gate"
)

// From turns any error into a problem. What it does not know shows as an
// internal error without a word of the cause, which only the log gets.
func From(err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		copied := *known
		return &copied
	}
	var overload *gate.OverloadError
	if errors.As(err, &overload) {
		problem := New(TooManyRequests, "the server is overloaded")
		problem.RetryAfter = min(60, 1+int(overload.RetryAfter/time.Second))
		return problem
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
		code, detail = BodyTooLarge, "the limit is "+SizeText(tooLarge.Limit)
	case errors.As(err, &framework):
		code = codeOfStatus(framework.Code)
	case errors.Is(err, pixels.ErrTooLarge):
		code, detail = ImageTooLarge, err.Error()
	case errors.Is(err, pixels.ErrUnsupported), errors.Is(err, pixels.ErrCorrupt):
		code, detail = InvalidImage, err.Error()
	case errors.Is(err, pictures.ErrNoOriginal):
		code, detail = Unavailable, pictures.ErrNoOriginal.Error()
	case errors.Is(err, index.ErrNotFound):
		code = NotFound
	case errors.Is(err, index.ErrReadOnly):
		code, detail = Unsupported, "the library is open for reading only"
	case errors.Is(err, index.ErrMoved):
		code, detail = Unavailable, index.ErrMoved.Error()
	case diskspace.IsFull(err):
		code, detail = InsufficientStorage, "the disk is full; nothing was written, and the library is unchanged"
	case errors.Is(err, index.ErrUnavailable):
		code, detail = Unavailable, index.ErrUnavailable.Error()
	case errors.Is(err, originals.ErrFolderGone):
		code, detail = Unavailable, originals.ErrFolderGone.Error()
	case errors.Is(err, index.ErrClosed), errors.Is(err, index.ErrWriter):
		code = Unavailable
	case errors.Is(err, answering.ErrPrompt):
		code, detail = Code(contract.CodeTooLarge), "the question, with what goes before it, is longer than the model reads"
	case errors.Is(err, index.ErrSpace):
		code = Code(contract.CodeSpaceMismatch)
	case errors.Is(err, context.DeadlineExceeded):
		code = Timeout
	case errors.Is(err, os.ErrDeadlineExceeded):
		code = SlowRequest
	case errors.Is(err, context.Canceled):
		code = Cancelled
	case errors.Is(err, io.ErrUnexpectedEOF):
		code, detail = InvalidRequest, "the body ends too early"
	default:
		code = Internal
	}
	problem := New(code, detail)
	problem.Cause = err
	if code != Internal {
		problem.Hint = hint.Of(err)
	}
	switch { // what the library says is for the command line, and has addresses and names that are nobody else's business
	case code == InsufficientStorage:
		problem.Hint = "free some space on the disk that holds the library and its uploads, then send the request again"
	case errors.Is(err, index.ErrUnavailable):
		problem.Hint = ""
	}
	if code == Unavailable || code == Timeout {
		problem.RetryAfter = 5
	}
	return problem
}

// searchProblem gives the problem of an error that package search describes, or
// nil. Its codes, messages and remedies are made to be shown; its causes are not.
func searchProblem(err error) *Problem {
	var described *contract.Error
	if !errors.As(err, &described) {
		return nil
	}
	problem := New(Code(described.Code), described.Message)
	problem.Hint, problem.Position, problem.Cause = described.Remedy, described.Position, err
	if described.Field != "" {
		problem.Errors = []Field{{Field: described.Field, Detail: described.Message}}
	}
	if problem.Status == http.StatusServiceUnavailable {
		problem.RetryAfter = 5
	}
	return problem
}

// SizeText shows a number of bytes, which limits give mostly in whole units.
func SizeText(bytes int64) string {
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
		return NotFound
	case http.StatusMethodNotAllowed:
		return MethodNotAllowed
	case http.StatusRequestEntityTooLarge:
		return BodyTooLarge
	case http.StatusUnsupportedMediaType:
		return UnsupportedMediaType
	case http.StatusBadRequest:
		return InvalidRequest
	}
	return Internal
}
