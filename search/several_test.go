package search

import (
	"errors"
	"slices"
	"testing"

	"mekiki/index"
	"mekiki/search/contract"
)

// TestSeveralPictures: hits are like all of the pictures that are asked about, none of which is a hit itself.
func TestSeveralPictures(t *testing.T) {
	w := populated(100)
	first := w.add("/library/a.jpg", "zeppelin", "cat").ID
	second := w.add("/library/b.jpg", "zeppelin", "lamp").ID
	wanted := w.add("/library/c.jpg", "zeppelin").ID
	s := newTestSearcher(t, w, Options{})
	request := contract.Request{Records: []index.ID{first, second}, Show: contract.ShowAll, Limit: 200}
	response := search(t, s, request)
	if len(response.Hits) == 0 || response.Hits[0].ID != wanted {
		t.Errorf("what both have in common is not found first: %v", hitIDs(response))
	}
	if ids := hitIDs(response); slices.Contains(ids, first) || slices.Contains(ids, second) {
		t.Errorf("a picture that is asked about is a hit: %v", ids)
	}
	turned := request
	turned.Records = []index.ID{second, first}
	if !slices.Equal(hitIDs(search(t, s, turned)), hitIDs(response)) {
		t.Error("the order of the pictures matters")
	}
	for name, wrong := range map[string]contract.Request{
		"too many": {Records: slices.Repeat([]index.ID{first}, contract.MaximumPictures+1)},
		"a crop":   {Records: []index.ID{first, second}, Crop: &contract.Rectangle{Width: 1, Height: 1}},
		"unknown":  {Records: []index.ID{first, 999_999}},
	} {
		var described *contract.Error
		if _, err := s.Search(t.Context(), wrong); !errors.As(err, &described) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
