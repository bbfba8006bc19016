package duplicates

import (
	"cmp"
	"encoding/base64"
	"encoding/json"

	"mekiki/index"
	"mekiki/search/contract"
)

// position is where a page of groups ended: what its last group is ordered by, and of which request.
type position struct {
	Level      Level    `json:"l"`
	Distance   int      `json:"d"`
	Similarity float64  `json:"s"`
	Members    int      `json:"m"`
	Bytes      int64    `json:"b"`
	First      index.ID `json:"f"`
}

// positionOf is that of a group.
func positionOf(group *Group, request Request) position {
	return position{request.Level, *request.Distance, request.Similarity, len(group.Members), group.ReclaimableBytes, group.Members[0].ID}
}

// compare orders positions: the largest group first, then what frees most, then by ID.
func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(q.Members, p.Members), cmp.Compare(q.Bytes, p.Bytes), cmp.Compare(p.First, q.First))
}

func (p position) cursor() string {
	data, err := json.Marshal(p)
	if err != nil { // numbers and a word always encode
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// positionAt reads the cursor of a request that is prepared; false without one.
func positionAt(request Request) (p position, some bool, err error) {
	if request.Cursor == "" {
		return p, false, nil
	}
	invalid := func(message string, err error) error {
		return &contract.Error{Code: contract.CodeInvalidCursor, Field: "cursor", Message: message, Remedy: "ask for the first page again, without a cursor", Err: err}
	}
	data, err := base64.RawURLEncoding.DecodeString(request.Cursor)
	if err != nil || len(request.Cursor) > longestCursor {
		return p, false, invalid("the cursor is no cursor", err)
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return p, false, invalid("the cursor is no cursor", err)
	}
	if p.Level != request.Level || p.Distance != *request.Distance || p.Similarity != request.Similarity {
		return p, false, invalid("the cursor belongs to another search for duplicates", nil)
	}
	return p, true, nil
}
