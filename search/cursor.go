package search

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"mekiki/search/contract"
)

// cursor is what Response.Cursor holds: which ranking, where in it, and what
// makes the same ranking again should it be forgotten.
type cursor struct {
	Key      string `json:"k"`
	Offset   int    `json:"o"`
	Sequence uint64 `json:"s"`
	Reranked int    `json:"r"`
}

func (k rankingKey) short() string { return hex.EncodeToString(k[:8]) }

func (c cursor) String() string {
	data, err := json.Marshal(c)
	if err != nil { // two strings and two numbers always encode
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// parseCursor reads a request's cursor.
func (p *plan) parseCursor() (*cursor, error) {
	text := p.request.Cursor
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
	var c cursor
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, invalid("the cursor is no cursor", err)
	}
	if c.Key != p.key.short() {
		return nil, invalid("the cursor belongs to another query", nil)
	}
	if c.Offset < 0 || c.Offset > contract.MaximumSkipped || c.Reranked < 0 || c.Reranked > contract.MaximumRerankCount {
		return nil, invalid("the cursor is out of range", nil)
	}
	return &c, nil
}
