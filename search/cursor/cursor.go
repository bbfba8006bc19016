// Package cursor writes and reads where in which ranking a page of hits ends, so that the next one goes on with the very same ranking.
package cursor

import (
	"encoding/base64"
	"encoding/json"

	"mekiki/search/contract"
)

// Cursor is what Response.Cursor holds: which ranking, where in it, and what
// makes the same ranking again should it be forgotten.
type Cursor struct {
	Key      string `json:"k"`
	Offset   int    `json:"o"`
	Sequence uint64 `json:"s"`
	Reranked int    `json:"r"`
}

// String writes a cursor for a request.
func (c Cursor) String() string {
	data, err := json.Marshal(c)
	if err != nil { // two strings and two numbers always encode
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
	if c.Offset < 0 || c.Offset > contract.MaximumSkipped || c.Reranked < 0 || c.Reranked > contract.MaximumRerankCount {
		return nil, invalid("the cursor is out of range", nil)
	}
	return &c, nil
}
