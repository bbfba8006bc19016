package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"mekiki/internal/hint"
	"mekiki/internal/termtext"
)

// Exit statuses, a public contract: see docs/cli.md.
const (
	ExitOK          = 0   // the work is done
	ExitError       = 1   // the work could not be done
	ExitUsage       = 2   // the command line is wrong
	ExitPartial     = 3   // the work is done but for items that failed, which are listed
	ExitNothing     = 4   // the work is done and found nothing
	ExitInterrupted = 130 // the work was stopped by a signal, at a point from which it can go on
)

// statusError is an error that decides the exit status. A nil err says nothing
// and only sets the status.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *statusError) Unwrap() error { return e.err }

// WithStatus makes err end the program with status. err may be nil.
func WithStatus(status int, err error) error { return &statusError{status: status, err: err} }

// UsageError makes a remark on the command line into an error.
func UsageError(format string, arguments ...any) error {
	return &statusError{status: ExitUsage, err: fmt.Errorf(format, arguments...)}
}

// Finish writes err, if it has something to say, and returns the exit status.
func Finish(ctx context.Context, writer io.Writer, asJSON bool, err error) int {
	if err == nil {
		return ExitOK
	}
	status := ExitError
	if decided := (*statusError)(nil); errors.As(err, &decided) {
		status = decided.status
		if decided.err == nil {
			return status
		}
	} else if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		status = ExitInterrupted
	}
	WriteError(writer, asJSON, status, err)
	return status
}

// WriteError writes an error with its remedy, as a line of JSON or for people.
func WriteError(writer io.Writer, asJSON bool, status int, err error) {
	remedy := hint.Of(err)
	if status == ExitInterrupted && remedy == "" {
		remedy = "run the same command again to go on from here"
	}
	if asJSON {
		line, marshalErr := json.Marshal(struct {
			MessageType string `json:"message_type"`
			Status      int    `json:"status"`
			Error       string `json:"error"`
			Hint        string `json:"hint,omitempty"`
		}{"error", status, err.Error(), remedy})
		if marshalErr == nil {
			fmt.Fprintf(writer, "%s\n", line)
		}
		return
	}
	fmt.Fprintf(writer, "mekiki: %s\n", termtext.CleanLines(err.Error()))
	if remedy != "" {
		fmt.Fprintf(writer, "  try: %s\n", termtext.CleanLines(remedy))
	}
}
