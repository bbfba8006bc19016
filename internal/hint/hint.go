// Package hint attaches to an error the remedy that a user can try, so that
// every program that shows the error can show the remedy beside it.
package hint

import "errors"

// Error is an error with a remedy. It unwraps to the error it was made from.
type Error struct {
	err    error
	remedy string
}

// Wrap returns err with a remedy: one sentence in the imperative that says what
// the user can do. It returns nil when err is nil.
func Wrap(err error, remedy string) error {
	if err == nil {
		return nil
	}
	return &Error{err: err, remedy: remedy}
}

// Error returns the text of the wrapped error, without the remedy.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.err }

// Hint returns the remedy.
func (e *Error) Hint() string { return e.remedy }

// Of returns the remedy nearest to the surface of err: that of the first error
// in its chain with a method Hint() string. It returns "" when there is none.
func Of(err error) string {
	var hinted interface {
		error
		Hint() string
	}
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}
