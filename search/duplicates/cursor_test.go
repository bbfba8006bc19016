package duplicates

import (
	"errors"
	"testing"

	"mekiki/index"
	"mekiki/search/contract"
)

// groupsOf makes groups of so many members, with IDs of their own.
func groupsOf(sizes ...int) (groups []Group) {
	id := index.ID(1)
	for _, size := range sizes {
		group := Group{ReclaimableBytes: int64(size)}
		for range size {
			group.Members = append(group.Members, Member{ID: id, Record: &index.Record{ID: id}})
			id++
		}
		groups = append(groups, group)
	}
	return groups
}

// TestCursorGoesOn: pages by cursor have each group once, also when groups before have gone meanwhile.
func TestCursorGoesOn(t *testing.T) {
	page := func(groups []Group, cursor string) Response {
		t.Helper()
		request := Request{Level: LevelPicture, Limit: 2, Cursor: cursor}
		if err := request.prepare(); err != nil {
			t.Fatal(err)
		}
		var response Response
		if err := response.cut(groups, request); err != nil {
			t.Fatal(err)
		}
		return response
	}
	all := groupsOf(2, 5, 2, 4, 3)
	first := page(all, "")
	if len(first.Groups) != 2 || len(first.Groups[0].Members) != 5 || first.Cursor == "" || first.Next != 2 {
		t.Fatalf("the first page is %+v", first)
	}
	second := page(groupsOf(2, 5, 2, 4, 3)[2:], first.Cursor) // the largest has gone, and one of two
	if len(second.Groups) != 2 || len(second.Groups[0].Members) != 3 || len(second.Groups[1].Members) != 2 || second.Cursor != "" {
		t.Errorf("the second page is %+v", second)
	}
	for _, wrong := range []Request{
		{Level: LevelPicture, Cursor: "%"}, {Level: LevelPicture, Cursor: "bm8"}, {Level: LevelBytes, Cursor: first.Cursor}, {Level: LevelPicture, Similarity: 0.5, Cursor: first.Cursor},
	} {
		if err := wrong.prepare(); err != nil {
			t.Fatal(err)
		}
		var response Response
		if err := response.cut(all, wrong); !isCursorError(err) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

func isCursorError(err error) bool {
	var wrong *contract.Error
	return errors.As(err, &wrong) && wrong.Code == contract.CodeInvalidCursor
}
