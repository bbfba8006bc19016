package runner

import (
	"slices"
	"testing"

	"mekiki/embed/tokenize"
)

func TestBatches(t *testing.T) {
	var encodings []tokenize.Encoding
	for _, length := range []int{3, 5, 3, 3, 5, 3, 3, 9} {
		encodings = append(encodings, tokenize.Encoding{IDs: make([]int64, length)})
	}
	tests := []struct {
		most, workers int
		want          [][]int
	}{
		{1, 1, [][]int{{0}, {2}, {3}, {5}, {6}, {1}, {4}, {7}}},
		{3, 1, [][]int{{0, 2, 3}, {5, 6}, {1, 4}, {7}}},
		{16, 1, [][]int{{0, 2, 3, 5, 6}, {1, 4}, {7}}},
		{16, 2, [][]int{{0, 2, 3}, {5, 6}, {1}, {4}, {7}}},
	}
	for _, test := range tests {
		got := Batches(encodings, test.most, test.workers)
		if !slices.EqualFunc(got, test.want, slices.Equal) {
			t.Errorf("batches of %d for %d workers: %v, want %v", test.most, test.workers, got, test.want)
		}
	}
	if got := Batches(nil, 4, 2); len(got) != 0 {
		t.Errorf("batches of nothing: %v", got)
	}
	long := slices.Repeat([]tokenize.Encoding{{IDs: make([]int64, 400)}}, 5)
	if got, want := Batches(long, 16, 1), [][]int{{0, 1}, {2, 3}, {4}}; !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("batches of long texts: %v, want %v", got, want)
	}
}
