// Package listing pages through lists: the cursors that say where a page ended.
package listing

import (
	"encoding/base64"
	"fmt"
	"time"

	"mekiki/index"
	"mekiki/server/problem"
)

const cursorFormat = "2:%d:%d:%d:%d"

// Cursor says for the client, to whom it means nothing, that a page ended at a place in a list of records. A list that goes on
// behind it neither skips nor repeats anything when records come and go meanwhile.
func Cursor(order index.Order, at index.Place) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, cursorFormat, order, at.Date.Unix(), at.Date.Nanosecond(), uint64(at.ID)))
}

// ReadCursor reads what [Cursor] wrote for a list of an order; nil from an empty cursor, which is the beginning of the list.
func ReadCursor(cursor string, order index.Order) (*index.Place, error) {
	if cursor == "" {
		return nil, nil
	}
	foreign := problem.Invalid("cursor", "was not issued by this server")
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(data) > 100 {
		return nil, foreign
	}
	var itsOrder index.Order
	var seconds, nanoseconds int64
	var id uint64
	if _, err := fmt.Sscanf(string(data), cursorFormat, &itsOrder, &seconds, &nanoseconds, &id); err != nil || nanoseconds < 0 || nanoseconds >= int64(time.Second) {
		return nil, foreign
	}
	at := index.Place{Date: time.Unix(seconds, nanoseconds), ID: index.ID(id)}
	if Cursor(itsOrder, at) != cursor {
		return nil, foreign
	}
	if itsOrder != order {
		return nil, problem.Invalid("cursor", "belongs to a different sort order")
	}
	return &at, nil
}
