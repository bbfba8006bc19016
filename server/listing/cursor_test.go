package listing

import (
	"testing"
	"time"

	"mekiki/index"
	"mekiki/server/problem"
)

func TestCursor(t *testing.T) {
	for _, date := range []time.Time{{}, time.Unix(0, 0), time.Date(1500, 1, 2, 3, 4, 5, 6, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 999_999_999, time.UTC)} {
		want := Position{order: index.OrderDateAscending, date: date, id: 1 << 63}
		got, found, err := ReadCursor(want.Cursor(), index.OrderDateAscending)
		if err != nil || !found || !got.date.Equal(date) || got.id != want.id {
			t.Errorf("%v became %v, %v", want, got, err)
		}
		if _, _, err := ReadCursor(want.Cursor(), index.OrderAdded); problem.From(err).Code != problem.InvalidRequest {
			t.Errorf("another order: %v", err)
		}
	}
}
