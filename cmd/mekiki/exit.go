package main

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
	exitOK          = 0   // the work is done
	exitError       = 1   // the work could not be done
	exitUsage       = 2   // the command line is wrong
	exitPartial     = 3   // the work is done but for items that failed, which are listed
	exitNothing     = 4   // the work is done and found nothing
	exitInterrupted = 130 // the work was stopped by a signal, at a point from which it can go on
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

// withStatus makes err end the program with status. err may be nil.
func withStatus(status int, err error) error { return &statusError{status: status, err: err} }

// usage makes a remark on the command line into an error.
func usage(format string, arguments ...any) error {
	return &statusError{status: exitUsage, err: fmt.Errorf(format, arguments...)}
}

// finish writes err, if it has something to say, and returns the exit status.
func finish(ctx context.Context, writer io.Writer, asJSON bool, err error) int {
	if err == nil {
		return exitOK
	}
	status := exitError
	if decided := (*statusError)(nil); errors.As(err, &decided) {
		status = decided.status
		if decided.err == nil {
			return status
		}
	} else if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		status = exitInterrupted
	}
	writeError(writer, asJSON, status, err)
	return status
}

func writeError(writer io.Writer, asJSON bool, status int, err error) {
	remedy := hint.Of(err)
	if status == exitInterrupted && remedy == "" {
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
