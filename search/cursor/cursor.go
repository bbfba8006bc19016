// Package cursor writes and reads where in which ranking a page of hits ends, so that the next one goes on with the very same ranking.
package cursor

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"mekiki/index"
	"mekiki/search/contract"
)

// Cursor is what Response.Cursor holds: which ranking, where in it, and what
// makes the same ranking again should it be forgotten.
type Cursor struct {
	Key      string `json:"k"`
	Offset   int    `json:"o"`
	Sequence uint64 `json:"s"`
	Reranked int    `json:"r"`
	// Last is the place of the last hit, where the hits are a list by date: the next page goes on behind it.
	Last *Place `json:"l,omitempty"`
}

// Place is an [index.Place] of whatever year.
type Place struct {
	Seconds     int64    `json:"s"` // since 1970
	Nanoseconds int64    `json:"n"`
	ID          index.ID `json:"i"`
}

// PlaceOf is the place of a record.
func PlaceOf(record *index.Record) *Place {
	at := index.PlaceOf(record)
	return &Place{at.Date.Unix(), int64(at.Date.Nanosecond()), at.ID}
}

// Behind is the place behind which the page begins; nil where the cursor, or one of nil, has none.
func (c *Cursor) Behind() *index.Place {
	if c == nil || c.Last == nil {
		return nil
	}
	return &index.Place{Date: time.Unix(c.Last.Seconds, c.Last.Nanoseconds), ID: c.Last.ID}
}

// String writes a cursor for a request.
func (c Cursor) String() string {
	data, err := json.Marshal(c)
	if err != nil { // strings and numbers always encode
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// Parse reads the cursor of a request whose ranking has a key; nil of none. What is wrong with it is a [contract.Error].
func Parse(text, key string) (*Cursor, error) {
	if text == "" {
		return nil, nil
	}
	invalid := func(message string, err error) error {
		return &contract.Error{Code: contract.CodeInvalidCursor, Field: "cursor", Message: message, Remedy: "ask for the first page again, without a cursor", Err: err}
	}
	if len(text) > 1024 {
		return nil, invalid("the cursor is no cursor", nil)
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, invalid("the cursor is no cursor", err)
	}
	var c Cursor
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, invalid("the cursor is no cursor", err)
	}
	if c.Key != key {
		return nil, invalid("the cursor belongs to another query", nil)
	}
	if c.Last != nil && (c.Last.Nanoseconds < 0 || c.Last.Nanoseconds >= int64(time.Second)) {
		return nil, invalid("the cursor is out of range", nil)
	}
	if c.Offset < 0 || c.Offset > contract.MaximumSkipped || c.Reranked < 0 || c.Reranked > contract.MaximumRerankCount {
		return nil, invalid("the cursor is out of range", nil)
	}
	return &c, nil
}
