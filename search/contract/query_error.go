package contract

import (
	"errors"

	"mekiki/search/query"
)

// QueryError gives a query's error the form of a request's.
func QueryError(err error) error {
	var cause *query.Error
	if !errors.As(err, &cause) {
		return err
	}
	return &Error{
		Code: Code(cause.Code), Message: cause.Message, Remedy: cause.Remedy, Field: "text", Query: cause.Query,
		Position: &Position{Offset: cause.Offset, Length: cause.Length},
	}
}
