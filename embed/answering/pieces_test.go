package answering

import (
	"slices"
	"testing"
)

func TestPieces(t *testing.T) {
	var told []string
	p := pieces{write: func(piece string) error {
		told = append(told, piece)
		return nil
	}}
	for _, text := range []string{"", " ", " a", "", " ", "b c ", "\n", "", "d", "\n "} {
		if err := p.next(text); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"a", " b c", " \nd"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
