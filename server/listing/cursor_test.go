package listing

import (
	"testing"
	"time"

	"mekiki/index"
	"mekiki/server/problem"
)

// TestCursor: places are written and read, and clients may go on with the cursors that they hold.
func TestCursor(t *testing.T) {
	for _, date := range []time.Time{{}, time.Unix(0, 0), time.Date(1500, 1, 2, 3, 4, 5, 6, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 999_999_999, time.UTC)} {
		want := index.Place{Date: date, ID: 1 << 63}
		got, err := ReadCursor(Cursor(index.OrderDateAscending, want), index.OrderDateAscending)
		if err != nil || got == nil || !got.Date.Equal(date) || got.ID != want.ID {
			t.Errorf("%v became %v, %v", want, got, err)
		}
		if _, err := ReadCursor(Cursor(index.OrderDateAscending, want), index.OrderAdded); problem.From(err).Code != problem.InvalidRequest {
			t.Errorf("another order: %v", err)
		}
	}
	const held = "MjoyOjE4MDg1OTcxNjc6MDoyMDAwMA" // of an earlier version: 2:2:1808597167:0:20000
	if got, err := ReadCursor(held, index.OrderDateDescending); err != nil || got.ID != 20000 || got.Date.Unix() != 1808597167 {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := ReadCursor("", index.OrderDateDescending); err != nil || got != nil {
		t.Errorf("of none: %v, %v", got, err)
	}
}
